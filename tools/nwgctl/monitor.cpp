// SPDX-License-Identifier: GPL-2.0
/* monitor: events as they happen. */
#include "command.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/time.h>
#include <unistd.h>

#include "netlink/events.hpp"
#include "relay.hpp"
#include "render/event.hpp"
#include "signals.hpp"

namespace nwgctl
{

/* What a pipe takes whole once it is said to be writable. */
static constexpr std::size_t write_size = 4096;

/* Standard output, line by line, and what ends it. */
class Lines {
    public:
	enum class State { open, closed, signalled };

	/* Until there is something to read from @descriptor, or until the end. */
	Result<State> wait(int descriptor)
	{
		return wait(descriptor, POLLIN, 0);
	}
	Result<State> write(std::string line)
	{
		line += '\n';
		for (std::size_t done = 0; done < line.size();) {
			const auto state = TRY(wait(-1, 0, POLLOUT));

			if (state != State::open)
				return state;
			const auto size = std::min(line.size() - done, write_size);
			const ssize_t written = ::write(STDOUT_FILENO, line.data() + done, size);
			if (written < 0 && errno == EPIPE)
				return State::closed;
			if (written < 0 && errno != EINTR && errno != EAGAIN)
				return usage_error(
					fmt::format("Unable to write: {}", strerror(errno)));
			done += written > 0 ? static_cast<std::size_t>(written) : 0;
		}
		return State::open;
	}

    private:
	Result<State> wait(int input, short for_input, short for_output)
	{
		pollfd files[] = { { signals.descriptor(), POLLIN, 0 },
				   { STDOUT_FILENO, for_output, 0 },
				   { input, for_input, 0 } };

		while (poll(files, std::size(files), -1) < 0) {
			if (errno != EINTR)
				return Error{ Exit::refused,
					      fmt::format("Unable to wait: {}", strerror(errno)) };
		}
		if (files[0].revents)
			return State::signalled;
		/* Whoever has read from the pipe is gone, or the terminal is. */
		if (files[1].revents & (POLLERR | POLLHUP))
			return State::closed;
		return State::open;
	}

	Signals signals;
};

static std::string time_stamp(const char *form)
{
	timeval now;

	gettimeofday(&now, nullptr);
	return fmt::format(fmt::runtime(form), fmt::localtime(now.tv_sec), now.tv_usec);
}

static bool wanted(const netlink::Event &event, const netlink::RelayFilter &filter)
{
	const auto &interface = event.relay  ? event.relay->interface :
				event.flow   ? event.flow->interface :
				event.device ? event.device->name :
					       "";
	const auto listen = event.relay ? event.relay->listen :
			    event.flow	? event.flow->listen :
					  Transport();

	/* What is not known may be anybody's. */
	if (event.name().empty())
		return true;
	/* Looked up each time: the interface may come later. */
	return (!filter.interface || interface == netlink::own_name(*filter.interface)) &&
	       (!filter.listen || listen == netlink::by_own_name(*filter.listen));
}

static std::string event_line(const netlink::Event &event, const Options &options,
			      const render::Palette &palette)
{
	if (!options.json)
		return (options.timestamp ? time_stamp("[{:%Y-%m-%dT%H:%M:%S}.{:06}] ") : "") +
		       render::event_text(event, palette, options.statistics);
	auto json = render::event_json(event);
	if (options.timestamp)
		json["timestamp"] = time_stamp("{0:%Y-%m-%dT%H:%M:%S}.{1:06}{0:%z}");
	return render::json_text(json, options);
}

static std::string lost_line(const Options &options, const render::Palette &palette)
{
	if (options.json)
		return render::json_text({ { "event", "lost" } }, options);
	return fmt::format(
		"{}: there were more events here than could be kept until they were read",
		palette.warning("lost"));
}

Status monitor(const Options &options, Arguments arguments)
{
	const auto filter = TRY(parse_relay_filter(arguments));
	const auto palette = options.json ? render::Palette(false) : render::Palette::for_output();
	auto events = TRY(netlink::Events::open());
	Lines lines;

	/* EPIPE instead. */
	signal(SIGPIPE, SIG_IGN);
	/* For the names of the interfaces that relays listen on: the end of one comes after that of its interface. */
	TRY(netlink::list_relays({}));
	while (!events.over()) {
		if (TRY(lines.wait(events.descriptor())) != Lines::State::open)
			return {};
		const auto heard = TRY(events.heard());
		std::vector<std::string> text;

		for (const auto &message : heard.messages) {
			const auto event = netlink::parse_event(message);

			if (wanted(event, filter))
				text.push_back(event_line(event, options, palette));
		}
		if (heard.lost)
			text.push_back(lost_line(options, palette));
		for (auto &line : text) {
			if (TRY(lines.write(std::move(line))) != Lines::State::open)
				return {};
		}
	}
	return Error{ Exit::refused,
		      "There are no more events: module nwg was unloaded",
		      {},
		      "once it is loaded again, begin anew: modprobe nwg" };
}

} // namespace nwgctl
