// SPDX-License-Identifier: GPL-2.0
/* up, down, reload and save: an interface and its file. */
#include "command.hpp"

#include "config/quick.hpp"
#include "config/value.hpp"
#include "setup/interface.hpp"
#include "signals.hpp"

namespace nwgctl
{

/*
 * The file as it is once nobody else changes its interface, who may write it until then. Names, which may be looked up for
 * long, are looked up before, and once more only if it is another file by then.
 */
static Result<config::Quick> load_and_take(const std::string &path, config::Part part,
					   const setup::Lock &own)
{
	for (;;) {
		const auto before = TRY(config::read_file(path));
		auto quick = TRY(config::load_quick(path, part));

		TRY(own.take_unless_in_hook());
		if (TRY(config::read_file(path)) == before)
			return quick;
		own.release();
	}
}

static Status with_file(Arguments arguments, config::Part part,
			Status (*action)(const config::Quick &quick, const setup::Locks &locks))
{
	if (arguments.size() != 1)
		return wrong_usage("a file or an interface is to be named");
	const auto path = TRY(config::find_quick(arguments[0]));
	const setup::Locks locks{ setup::Lock::of_interface(TRY(config::interface_of(path))),
				  setup::Lock::of_all() };
	/* Commands of the file may save it. */
	const auto quick = TRY(action == setup::save ? config::load_quick(path, part) :
						       load_and_take(path, part, locks.own));
	/* Nothing is begun yet. */
	locks.all.take();
	/* What was begun is finished or undone before such a signal ends the program; and the error is said. */
	const WithoutSignals without_signals;
	auto done = action(quick, locks);
	if (!done && WithoutSignals::is_interrupted()) {
		print_error(done.error());
		return Error{ done.error().exit, {} };
	}
	return done;
}

Status up(const Options &, Arguments arguments)
{
	return with_file(arguments, config::Part::whole, setup::up);
}

Status down(const Options &, Arguments arguments)
{
	return with_file(arguments, config::Part::frame, setup::down);
}

Status reload(const Options &, Arguments arguments)
{
	return with_file(arguments, config::Part::whole, setup::reload);
}

Status save(const Options &, Arguments arguments)
{
	return with_file(arguments, config::Part::frame, setup::save);
}

} // namespace nwgctl
