// SPDX-License-Identifier: GPL-2.0
/* What there is on a live machine. */
#include "finding.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../config/value.hpp"
#include "../netlink/device.hpp"
#include "../netlink/link.hpp"
#include "../setup/process.hpp"

namespace nwgctl::diagnosis
{

namespace fs = std::filesystem;

/* The reasons of dropped packets, from an instance of the tracing of its own, so that nobody else's is disturbed. */
class Watch {
    public:
	Watch()
		: directory(fmt::format("/sys/kernel/tracing/instances/nwgctl-{}", getpid()))
	{
		std::error_code error;

		if (!fs::create_directory(directory, error))
			return;
		std::ofstream(directory + "/events/nwg/nwg_device_drop/enable") << "1";
	}
	Watch(const Watch &) = delete;
	Watch &operator=(const Watch &) = delete;
	~Watch()
	{
		std::error_code error;

		std::ofstream(directory + "/events/nwg/nwg_device_drop/enable") << "0";
		rmdir(directory.c_str());
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
};

static bool reads_one(const char *path)
{
	int value = 0;

	return std::ifstream(path) >> value && value == 1;
}

/* The files that "up" would find by an interface's name. */
static void find_files(Machine &machine)
{
	for (const char *directory : { "/etc/nwg", "/etc/wireguard" }) {
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

/* The second column is ADDRESS:PORT in hexadecimal digits. */
static void find_ports(Machine &machine)
{
	for (const char *path : { "/proc/net/udp", "/proc/net/udp6" }) {
		std::ifstream lines(path);
		std::string line;

		std::getline(lines, line);
		while (std::getline(lines, line)) {
			std::istringstream words(line);
			std::string slot, local;

			words >> slot >> local;
			const auto colon = local.find(':');
			if (colon != local.npos)
				machine.ports.push_back(static_cast<uint16_t>(
					strtoul(local.c_str() + colon + 1, nullptr, 16)));
		}
	}
}

static std::string output_of(const std::vector<std::string> &command)
{
	if (!setup::has_program(command[0]))
		return {};
	auto output = setup::output_of(command);
	return output ? output.take() : "";
}

Result<Machine> examine(unsigned int seconds)
{
	const Watch watch;
	Machine machine;
	std::error_code error;

	machine.has_module = fs::exists("/sys/module/nwg", error);
	machine.has_stock_module = fs::exists("/sys/module/wireguard", error);
	machine.now = time(nullptr);
	for (const auto &link : TRY(netlink::wireguard_links())) {
		const auto state = TRY(netlink::find_link(link.name));

		if (state)
			machine.interfaces.push_back(
				{ *state, TRY(netlink::get_device(link)), {}, {} });
	}
	std::this_thread::sleep_for(std::chrono::seconds(seconds));
	machine.now = time(nullptr);
	auto drops = watch.seen();
	for (auto &interface : machine.interfaces) {
		interface.after = TRY(netlink::get_device({ .index = interface.link.index,
							    .name = interface.link.name,
							    .kind = interface.link.kind }));
		interface.drops = drops[interface.link.name];
	}
	if (machine.has_module) {
		machine.relays = TRY(netlink::list_relays({ .interface = {}, .listen = {} }));
		machine.flows = TRY(netlink::list_flows({ .interface = {}, .listen = {} }));
	}
	find_files(machine);
	find_ports(machine);
	machine.forwards_v4 = reads_one("/proc/sys/net/ipv4/ip_forward");
	machine.forwards_v6 = reads_one("/proc/sys/net/ipv6/conf/all/forwarding");
	machine.nft = output_of({ "nft", "-j", "list", "ruleset" });
	machine.iptables = output_of({ "iptables-save" }) + output_of({ "ip6tables-save" });
	return machine;
}

} // namespace nwgctl::diagnosis
