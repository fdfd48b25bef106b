// SPDX-License-Identifier: GPL-2.0
/* top: relays, flows and peers with their rates, as a live view. */
#include "command.hpp"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "netlink/device.hpp"
#include "netlink/relay.hpp"
#include "render/block.hpp"
#include "render/screen.hpp"
#include "signals.hpp"
#include "top/layout.hpp"
#include "top/model.hpp"
#include "top/screen.hpp"
#include "top/view.hpp"
#include "words.hpp"

namespace nwgctl
{

using namespace std::chrono_literals;
using top::Clock;

/* The first rates need not wait for as long as the others. */
static constexpr top::Seconds first_delay = 500ms;

static Result<double> parse_delay(const std::string &text)
{
	double delay = 0;
	const auto end = text.data() + text.size();
	const auto [stop, error] =
		std::from_chars(text.data(), end, delay, std::chars_format::fixed);

	/* Written so that what is no number is refused, too. */
	if (error != std::errc() || stop != end ||
	    !(delay >= top::least_delay && delay <= top::most_delay))
		return usage_error(fmt::format("`{}' is no delay", text),
				   fmt::format("it is {} to {} seconds", top::least_delay,
					       top::most_delay));
	return delay;
}

/* While it lives the signal comes only where it is waited for, so that none comes too early to be noticed. */
class Blocked {
    public:
	explicit Blocked(int number)
	{
		sigset_t set;

		sigemptyset(&set);
		sigaddset(&set, number);
		sigprocmask(SIG_BLOCK, &set, &before);
	}
	~Blocked()
	{
		sigprocmask(SIG_SETMASK, &before, nullptr);
	}
	Blocked(const Blocked &) = delete;
	Blocked &operator=(const Blocked &) = delete;

    private:
	sigset_t before;
};

/* As print_error() has it. */
static std::vector<std::string> lines_of(const Error &error)
{
	std::vector<std::string> lines{ error.what };

	if (!error.kernel.empty())
		lines.push_back("kernel: " + error.kernel);
	if (!error.hint.empty())
		lines.push_back("hint: " + error.hint);
	return lines;
}

class Top {
    public:
	Top(const netlink::RelayFilter &filter, double delay)
		: filter(filter)
	{
		view.delay = delay;
	}

	/* All that there is now. What fails leaves nothing of it: half would look like the whole. */
	Status read()
	{
		model.begin();
		auto status = read_all();
		model.end();
		if (!status)
			model.begin();
		return status;
	}

	/* Until it is told to end. */
	Status run()
	{
		/* First and last: until the terminal is what it was, nothing may end the program. */
		const Signals signals({ SIGINT, SIGTERM, SIGHUP, SIGQUIT });
		const Blocked resize(SIGWINCH);
		top::Screen screen(render::utf8_output(),
				   render::Palette::for_output().is_colored());
		auto next = Clock::now() + std::chrono::duration_cast<Clock::duration>(
						   std::min(first_delay, top::Seconds(view.delay)));

		for (;;) {
			draw(screen);
			if (!TRY(wait(signals, next)))
				return {};
			for (auto input = screen.input(); input != top::Input::none;
			     input = screen.input()) {
				const double before = view.delay;

				if (!view.press(input))
					return {};
				if (view.delay != before)
					next = after(view.delay);
			}
			if (view.paused || Clock::now() < next)
				continue;
			trouble.clear();
			if (auto status = read(); !status)
				trouble = lines_of(status.error());
			/* Counted from the end: what takes long to read leaves time for keys, and for the machine. */
			next = after(view.delay);
		}
	}

    private:
	static Clock::time_point after(double delay)
	{
		return Clock::now() +
		       std::chrono::duration_cast<Clock::duration>(top::Seconds(delay));
	}

	Status read_all()
	{
		for (const auto &relay : TRY(netlink::list_relays(filter)))
			model.add(relay, Clock::now());
		TRY(netlink::each_flow(filter, [this](const netlink::Flow &flow) {
			model.add(flow, Clock::now());
		}));
		const auto name = netlink::own_name(filter.interface.value_or(""));
		for (const auto &link : TRY(netlink::wireguard_links())) {
			if (filter.interface && link.name != name)
				continue;
			const auto device = netlink::get_device(link);

			/* Gone since it was listed. */
			if (!device && device.error().number == ENODEV)
				continue;
			if (!device)
				return device.error();
			model.add(device.value(), Clock::now());
		}
		return {};
	}

	void draw(top::Screen &screen)
	{
		const time_t now = time(nullptr);

		screen.draw(layout(model, view,
				   { .size = top::Screen::size(),
				     .unicode = screen.unicode(),
				     .now = now,
				     .time = fmt::format("{:%H:%M:%S}", fmt::localtime(now)),
				     .trouble = trouble }));
	}

	/* Until @next, or something was pressed or the window has another size. Returns whether to go on. */
	Result<bool> wait(const Signals &signals, Clock::time_point next) const
	{
		pollfd files[] = { { signals.descriptor(), POLLIN, 0 },
				   { STDIN_FILENO, POLLIN, 0 } };
		const auto left = std::max(next - Clock::now(), Clock::duration(0));
		const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
		const timespec timeout{ seconds.count(),
					std::chrono::nanoseconds(left - seconds).count() };
		sigset_t waiting;

		sigprocmask(SIG_SETMASK, nullptr, &waiting);
		sigdelset(&waiting, SIGWINCH);
		if (ppoll(files, std::size(files), view.paused ? nullptr : &timeout, &waiting) <
		    0) {
			if (errno == EINTR)
				return true;
			return Error{ Exit::refused,
				      fmt::format("Unable to wait: {}", strerror(errno)) };
		}
		/* Where the terminal is gone, nobody looks any more; the signal that says so comes after that. */
		if (files[1].revents & (POLLERR | POLLHUP | POLLNVAL)) {
			signal(SIGHUP, SIG_IGN);
			return false;
		}
		return !files[0].revents;
	}

	netlink::RelayFilter filter;
	top::Model model;
	top::View view;
	std::vector<std::string> trouble;
};

Status run_top(const Options &options, Arguments arguments)
{
	netlink::RelayFilter filter;
	std::optional<double> delay;
	Words words(arguments);

	if (options.json)
		return usage_error("The live view is not shown as JSON",
				   "the same is in: nwgctl -j relay show; nwgctl -j flow show; "
				   "nwgctl -j show");
	while (!words.empty()) {
		bool repeated;

		if (words.take("dev")) {
			repeated = filter.interface.has_value();
			filter.interface = TRY(netlink::interface_name(TRY(words.value())));
		} else if (words.take("delay")) {
			repeated = delay.has_value();
			delay = TRY(parse_delay(TRY(words.value())));
		} else {
			return words.unknown();
		}
		if (repeated)
			return words.repeated();
	}
	TRY(top::Screen::check());
	Top live(filter, delay.value_or(top::View().delay));
	/* An error is said before the terminal is taken. */
	TRY(live.read());
	try {
		return live.run();
	} catch (const std::exception &error) {
		/* Such as a lack of memory for very many flows; the terminal is given back by then. */
		return Error{ Exit::refused, fmt::format("Unable to go on: {}", error.what()) };
	}
}

} // namespace nwgctl
