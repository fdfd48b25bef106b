/* SPDX-License-Identifier: GPL-2.0 */
/* Generic netlink: a family by its name. */
#ifndef NWGCTL_NETLINK_GENERIC_HPP
#define NWGCTL_NETLINK_GENERIC_HPP

#include <map>
#include <string>
#include <vector>

#include "message.hpp"
#include "socket.hpp"

namespace nwgctl::netlink
{

/* A socket and a family on it. */
class Family {
    public:
	/* An error says that the module is not loaded, if that is so. */
	static Result<Family> open(const std::string &name);

	Request make(uint8_t command) const
	{
		return Request(id, command, NWG_GENL_VERSION, 0);
	}
	uint16_t number() const
	{
		return id;
	}
	/* Numbers of its multicast groups by their names. */
	const std::map<std::string, uint32_t> &groups() const
	{
		return group_numbers;
	}
	Result<std::vector<SecretBytes>> request(Request &request)
	{
		return socket.request(request);
	}
	Result<std::vector<SecretBytes>> dump(Request &request)
	{
		return socket.dump(request);
	}
	Status dump(Request &request, const Visit &visit)
	{
		return socket.dump(request, visit);
	}

    private:
	Family(Socket socket, uint16_t id, std::map<std::string, uint32_t> groups)
		: socket(std::move(socket))
		, id(id)
		, group_numbers(std::move(groups))
	{
	}

	Socket socket;
	uint16_t id;
	std::map<std::string, uint32_t> group_numbers;
};

} // namespace nwgctl::netlink

#endif
