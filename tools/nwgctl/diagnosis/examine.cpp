// SPDX-License-Identifier: GPL-2.0
/* What there is on a live machine. */
#include "finding.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../config/value.hpp"
#include "../netlink/device.hpp"
#include "../netlink/link.hpp"
#include "../ruleset/read.hpp"
#include "../signals.hpp"

namespace nwgctl::diagnosis
{

namespace fs = std::filesystem;

/* The reasons of dropped packets, from an instance of the tracing of its own, so that nobody else's is disturbed. */
class Watch {
    public:
	Watch()
		: directory(fmt::format("/sys/kernel/tracing/instances/nwgctl-{}", getpid()))
	{
		owned = !mkdir(directory.c_str(), 0700);
		if (!owned) {
			failure = fmt::format("Unable to make {}: {}", directory, strerror(errno));
			return;
		}
		std::ofstream enable(directory + "/events/nwg/nwg_device_drop/enable");
		enable << "1" << std::flush;
		if (!enable)
			failure = "Unable to enable the trace event nwg:nwg_device_drop";
	}
	Watch(const Watch &) = delete;
	Watch &operator=(const Watch &) = delete;
	~Watch()
	{
		if (owned)
			rmdir(directory.c_str());
	}
	/* Why nothing can be seen; empty if it can. */
	[[nodiscard]] const std::string &error() const
	{
		return failure;
	}
	/* For each interface of this namespace, how often which reason. */
	[[nodiscard]] std::map<std::string, std::map<std::string, unsigned int>> seen() const
	{
		std::map<std::string, std::map<std::string, unsigned int>> drops;
		std::ifstream lines(directory + "/trace");
		std::string line;
		struct stat status {};

		stat("/proc/self/ns/net", &status);
		while (std::getline(lines, line)) {
			const auto start = line.find("nwg_device_drop: ");
			std::map<std::string, std::string> values;
			std::istringstream words(
				start == line.npos ? "" : line.substr(line.find(' ', start)));
			std::string word;

			while (words >> word) {
				const auto equals = word.find('=');

				if (equals != word.npos)
					values[word.substr(0, equals)] = word.substr(equals + 1);
			}
			if (values["netns"] == fmt::format("{}", status.st_ino))
				drops[values["dev"]][values["reason"]]++;
		}
		return drops;
	}

    private:
	const std::string directory;
	std::string failure;
	bool owned = false;
};

/* An error if a signal comes meanwhile. */
static Status wait_for(unsigned int seconds, const Signals &signals)
{
	const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
	pollfd file{ signals.descriptor(), POLLIN, 0 };

	for (;;) {
		const auto left = std::chrono::ceil<std::chrono::milliseconds>(
			end - std::chrono::steady_clock::now());

		if (left.count() <= 0)
			return {};
		if (poll(&file, 1, static_cast<int>(std::min<int64_t>(left.count(), INT_MAX))) > 0)
			return usage_error("Interrupted");
	}
}

static bool reads_one(const char *path)
{
	int value = 0;

	return std::ifstream(path) >> value && value == 1;
}

/* The files that "up" would find by an interface's name. */
static void find_files(Machine &machine)
{
	for (const char *directory : config::quick_directories) {
		std::error_code error;

		for (const auto &entry : fs::directory_iterator(directory, error)) {
			if (entry.path().extension() != ".conf")
				continue;
			auto text = config::read_file(entry.path());
			auto file = text ? config::parse_quick({ text.value().data(),
								 text.value().size() },
							       entry.path(), config::Part::relays) :
					   Result<config::Quick>(text.error());

			if (file)
				machine.files.push_back(file.take());
			else
				machine.broken_files.push_back(file.error());
		}
	}
	std::ranges::sort(machine.files, {}, &config::Quick::path);
}

/* Relays, and interfaces as they are before. */
static Status look(Machine &machine)
{
	for (const auto &link : TRY(netlink::wireguard_links())) {
		const auto state = TRY(netlink::find_link(link.name));

		if (state)
			machine.interfaces.push_back(
				{ *state, TRY(netlink::get_device(link)), {}, {} });
	}
	if (machine.has_module)
		machine.relays_before =
			TRY(netlink::list_relays({ .interface = {}, .listen = {} }));
	return {};
}

/* Signals wait meanwhile, so that none of them leaves the tracing on. */
static Status watch(Machine &machine, unsigned int seconds)
{
	const Signals signals;
	std::optional<Watch> watch;

	if (seconds && machine.has_module)
		machine.unwatched = watch.emplace().error();
	TRY(look(machine));
	TRY(wait_for(seconds, signals));
	if (!watch)
		return {};
	auto drops = watch->seen();
	for (auto &interface : machine.interfaces)
		interface.drops = drops[interface.link.name];
	return {};
}

Result<Machine> examine(unsigned int seconds)
{
	Machine machine;
	std::error_code error;

	machine.has_module = fs::exists("/sys/module/nwg", error);
	machine.has_stock_module = fs::exists("/sys/module/wireguard", error);
	TRY(watch(machine, seconds));
	machine.now = time(nullptr);
	for (auto &interface : machine.interfaces)
		interface.after = TRY(netlink::get_device({ .index = interface.link.index,
							    .name = interface.link.name,
							    .kind = interface.link.kind }));
	if (machine.has_module) {
		machine.relays = TRY(netlink::list_relays({ .interface = {}, .listen = {} }));
		machine.flows = TRY(netlink::list_flows({ .interface = {}, .listen = {} }));
	}
	find_files(machine);
	machine.sockets = list_sockets("udp");
	machine.local = local_addresses();
	machine.forwards_v4 = reads_one("/proc/sys/net/ipv4/ip_forward");
	machine.forwards_v6 = reads_one("/proc/sys/net/ipv6/conf/all/forwarding");
	machine.ruleset = ruleset::read_rules(machine.unread);
	return machine;
}

} // namespace nwgctl::diagnosis
