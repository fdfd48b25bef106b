// SPDX-License-Identifier: GPL-2.0
/* chain new: from a few words to the files of three machines. */
#include "command.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "config/value.hpp"
#include "words.hpp"
#include "chain/ask.hpp"
#include "chain/directory.hpp"
#include "chain/files.hpp"
#include "chain/network.hpp"
#include "chain/plan.hpp"
#include "chain/qr.hpp"

namespace nwgctl
{

using chain::Plan;

/* What was said, and what of it is still to be asked for. */
struct Request {
	Plan plan;
	std::vector<std::string> names;
	bool has_vps = false, has_lan = false, has_dns = false, has_wg1 = false;
};

static Result<uint16_t> parse_listening_port(const std::string &text, std::string_view what)
{
	const auto port = config::parse_port(text);

	if (!port || !port.value())
		return usage_error(
			fmt::format("{} is not a number from 1 to 65535: `{}'", what, text));
	return port;
}

static Status take_lan(Request &request, const std::string &text)
{
	request.has_lan = true;
	if (text != "none")
		request.plan.lan.push_back(TRY(chain::parse_network(text)));
	return {};
}

/* client1, client2... */
static Status take_count(Request &request, const std::string &text)
{
	static constexpr uint32_t most = 1000;
	const auto count = TRY(config::parse_count(text, "clients"));

	if (count > most)
		return usage_error(fmt::format("{} clients are more than {}", count, most),
				   "chain add-client adds others");
	for (uint32_t number = 1; number <= count; number++)
		request.names.push_back(fmt::format("client{}", number));
	return {};
}

static Status take_source(Request &request, Words &words)
{
	netlink::Source &source = request.plan.source;

	if (words.take("masquerade"))
		source = { .kind = NWG_SOURCE_MASQUERADE };
	else if (words.take("transparent"))
		source = { .kind = NWG_SOURCE_TRANSPARENT };
	else if (words.take("pool"))
		source = { .kind = NWG_SOURCE_POOL,
			   .pool = TRY(chain::parse_network(TRY(words.value()))) };
	else
		return wrong_usage("`source' is one of masquerade, pool PREFIX, transparent");
	return {};
}

static Status take_dns(Request &request, const std::string &text)
{
	request.has_dns = true;
	if (text == "none")
		return {};
	if (const auto address = Address::from_text(text)) {
		request.plan.dns.push_back(*address);
		return {};
	}
	return usage_error(fmt::format("Unable to parse IP address: `{}'", text),
			   "dns is an address, as clients cannot look its name up");
}

/* One keyword with what belongs to it. Returns whether it was there before and may not. */
static Result<bool> take_option(Request &request, Words &words, std::vector<std::string> &seen)
{
	static constexpr std::string_view keywords[] = {
		"vps",	  "port", "wg1-port", "wg1-network", "wg0-network",
		"lan",	  "full", "dns",      "clients",     "client",
		"source", "mtu",  "kind",     "max-flows",   "max-flows-per-source",
	};
	static constexpr std::string_view repeatable[] = { "wg0-network", "lan", "dns", "client" };
	Plan &plan = request.plan;
	const auto keyword = std::ranges::find_if(keywords, [&words](std::string_view name) {
		return words.take(name);
	});

	if (keyword == std::end(keywords))
		return words.unknown();
	if (std::ranges::find(seen, *keyword) != seen.end() &&
	    std::ranges::find(repeatable, *keyword) == std::end(repeatable))
		return true;
	seen.emplace_back(*keyword);
	if (*keyword == "full") {
		plan.full = true;
		return false;
	}
	if (*keyword == "source") {
		TRY(take_source(request, words));
		return false;
	}
	const auto value = TRY(words.value());
	if (*keyword == "vps") {
		plan.vps = TRY(chain::parse_host(value));
		request.has_vps = true;
	} else if (*keyword == "port") {
		plan.port = TRY(parse_listening_port(value, *keyword));
	} else if (*keyword == "wg1-port") {
		plan.wg1_port = TRY(parse_listening_port(value, *keyword));
	} else if (*keyword == "wg1-network") {
		plan.wg1 = TRY(chain::parse_network(value));
		request.has_wg1 = true;
	} else if (*keyword == "wg0-network") {
		plan.wg0.push_back(TRY(chain::parse_network(value)));
	} else if (*keyword == "lan") {
		TRY(take_lan(request, value));
	} else if (*keyword == "dns") {
		TRY(take_dns(request, value));
	} else if (*keyword == "clients") {
		TRY(take_count(request, value));
	} else if (*keyword == "client") {
		request.names.push_back(TRY(chain::parse_client_name(value)));
	} else if (*keyword == "mtu") {
		plan.line_mtu = TRY(config::parse_count(value, "mtu"));
	} else if (*keyword == "kind") {
		plan.kind = TRY(config::parse_kind(value));
	} else if (*keyword == "max-flows") {
		plan.max_flows = TRY(config::parse_count(value, "max-flows"));
	} else {
		plan.max_flows_per_source = TRY(config::parse_count(value, "max-flows-per-source"));
	}
	return false;
}

/* Words of an answer, between which is white space or a comma. */
static std::vector<std::string> split(const std::string &answer)
{
	std::vector<std::string> words;
	std::size_t start = 0, end;

	while ((start = answer.find_first_not_of(", \t", start)) != answer.npos) {
		end = std::min(answer.find_first_of(", \t", start), answer.size());
		words.push_back(answer.substr(start, end - start));
		start = end;
	}
	return words;
}

/* What has no default that is right for all is asked for. */
static Status complete(Request &request)
{
	const std::string no_terminal = "there is no terminal to ask on";
	Plan &plan = request.plan;

	if (!chain::can_ask()) {
		if (!request.has_vps)
			return usage_error(
				"`vps' is missing: the VPS' address or name on the internet",
				no_terminal);
		if (!request.has_lan && !plan.full)
			return usage_error(
				"`lan' is missing: the home's network that clients reach",
				no_terminal + "; `lan none' is for none, `full' for all");
		if (plan.full && !request.has_dns)
			return usage_error(
				"`dns' is missing: with `full' clients reach whom they ask for names only "
				"through the home",
				no_terminal + "; `dns none' is for none");
		if (request.names.empty())
			return usage_error("`client' is missing: the name of each client",
					   no_terminal + "; `clients N' makes up names");
		return {};
	}
	if (!request.has_vps)
		TRY(chain::ask("Address or name of the VPS on the internet", "",
			       [&plan](const std::string &answer) -> Status {
				       plan.vps = TRY(chain::parse_host(answer));
				       return {};
			       }));
	if (!request.has_lan && !plan.full)
		TRY(chain::ask("The home's networks that clients reach, or none", "192.168.88.0/24",
			       [&](const std::string &answer) -> Status {
				       plan.lan.clear();
				       for (const auto &word : split(answer))
					       TRY(take_lan(request, word));
				       return {};
			       }));
	if (plan.full && !request.has_dns)
		TRY(chain::ask("Addresses that clients ask for names, through the home, or none",
			       "", [&](const std::string &answer) -> Status {
				       plan.dns.clear();
				       for (const auto &word : split(answer))
					       TRY(take_dns(request, word));
				       return {};
			       }));
	if (request.names.empty())
		TRY(chain::ask("Names of the clients", "pc",
			       [&request](const std::string &answer) -> Status {
				       request.names.clear();
				       for (const auto &word : split(answer))
					       request.names.push_back(
						       TRY(chain::parse_client_name(word)));
				       return {};
			       }));
	return {};
}

static void fill_in(Request &request)
{
	Plan &plan = request.plan;
	uint32_t host = chain::home_host0;

	if (!request.has_wg1)
		plan.wg1 = chain::parse_network("172.16.1.0/24").take();
	if (plan.wg0.empty())
		plan.wg0.push_back(chain::parse_network("10.10.10.0/24").take());
	plan.vps_wg1 = Key::random_private();
	plan.home_wg1 = Key::random_private();
	plan.home_wg0 = Key::random_private();
	for (const auto &name : request.names)
		plan.clients.push_back(chain::new_client(name, ++host));
}

Status chain_new(const Options &, Arguments arguments)
{
	std::vector<std::string> seen;
	Request request;

	if (arguments.empty())
		return wrong_usage("the directory that is to be made is missing");
	const auto directory = chain::directory_name(arguments[0]);
	Words words(arguments.subspan(1));
	while (!words.empty()) {
		if (TRY(take_option(request, words, seen)))
			return words.repeated();
	}
	TRY(chain::check_new_directory(directory));
	TRY(complete(request));
	fill_in(request);
	TRY(chain::verify(request.plan));

	auto files = chain::plan_files(request.plan, directory);
	const auto network = request.plan.client_network();
	for (const auto &client : request.plan.clients)
		files.emplace_back(fmt::format("clients/{}.png", client.name),
				   TRY(chain::qr_png(TRY(chain::encode_qr(
					   chain::client_conf(network, client))))));
	TRY(chain::make_directory(directory, files));
	fmt::print("{0} is made: {0}/README.txt says what goes where\n", directory);
	return {};
}

} // namespace nwgctl
