// SPDX-License-Identifier: GPL-2.0
/* up, down, reload and save: an interface and its file. */
#include "command.hpp"

#include "config/quick.hpp"
#include "setup/interface.hpp"

namespace nwgctl
{

static Status with_file(Arguments arguments, config::Part part,
			Status (*action)(const config::Quick &quick))
{
	if (arguments.size() != 1)
		return wrong_usage("a file or an interface is to be named");
	return action(TRY(config::load_quick(arguments[0], part)));
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
