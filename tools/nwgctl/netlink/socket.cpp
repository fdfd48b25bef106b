// SPDX-License-Identifier: GPL-2.0
#include "socket.hpp"

#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include <fmt/format.h>

namespace nwgctl::netlink
{

/* What the kernel sends in one piece at most: a page, or 32 KiB of a dump. */
static constexpr std::size_t receive_size = 0x10000;
/* Room for what waits to be heard; the kernel counts its own overhead, too. */
static constexpr int hear_size = 0x100000;
/* A table that changes all the time is given up on. */
static constexpr int dump_attempts = 20;

static Error system_error(int number, std::string kernel = {})
{
	return Error{ Exit::refused, strerror(number), std::move(kernel), {}, number };
}

Error failed(Error error, const std::string &operation, const std::string &hint)
{
	error.what = fmt::format("{}: {}", operation, error.what);
	if (error.hint.empty())
		error.hint = hint;
	return error;
}

/* The type of the attribute of @request at @offset, looked for in nests too; 0 if there is none. */
static uint16_t attribute_at(std::span<const uint8_t> attributes, const uint8_t *place)
{
	uint16_t type = 0;

	for_each_attribute(attributes, [&](const nlattr *attribute) {
		const auto start = reinterpret_cast<const uint8_t *>(attribute);

		if (place == start)
			type = mnl_attr_get_type(attribute);
		else if (place > start && place < start + attribute->nla_len &&
			 (attribute->nla_type & NLA_F_NESTED))
			type = attribute_at(Attribute(attribute).payload(), place);
	});
	return type;
}

/* The extended ack: the kernel's words, or else the attribute that it points at. */
static std::string extended_ack(std::span<const uint8_t> bytes, Request &request)
{
	const Attributes<NLMSGERR_ATTR_MAX> attributes(bytes);
	const auto offset = attributes[NLMSGERR_ATTR_OFFS].get<uint32_t>();
	const auto text = attributes[NLMSGERR_ATTR_MSG].string();
	const auto start = reinterpret_cast<const uint8_t *>(request.header());

	if (!text.empty() || !offset || *offset >= request.length())
		return text;
	/* Both generic netlink and the rtnetlink messages sent here have attributes after a header of 4 or 16 bytes. */
	for (std::size_t header : { sizeof(genlmsghdr), std::size_t(16) }) {
		const std::size_t skip = MNL_NLMSG_HDRLEN + header;

		if (skip >= request.length())
			continue;
		if (const auto type = attribute_at({ start + skip, request.length() - skip },
						   start + *offset))
			return fmt::format("attribute {} of the request", type);
	}
	return {};
}

Socket::Socket(mnl_socket *socket)
	: socket(socket)
	, port(mnl_socket_get_portid(socket))
	, sequence(static_cast<uint32_t>(time(nullptr)))
{
}

Result<Socket> Socket::open(int protocol)
{
	std::unique_ptr<mnl_socket, Close> socket(mnl_socket_open2(protocol, SOCK_CLOEXEC));
	int one = 1;

	if (!socket || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0)
		return failed(system_error(errno), "Unable to open a netlink socket");
	/* A kernel that lacks these answers with less. */
	static_cast<void>(mnl_socket_setsockopt(socket.get(), NETLINK_EXT_ACK, &one, sizeof(one)));
	static_cast<void>(mnl_socket_setsockopt(socket.get(), NETLINK_CAP_ACK, &one, sizeof(one)));
	return Socket(socket.release());
}

void Socket::filter_dumps()
{
	int one = 1;

	static_cast<void>(
		mnl_socket_setsockopt(socket.get(), NETLINK_GET_STRICT_CHK, &one, sizeof(one)));
}

Status Socket::send(Request &request)
{
	request.header()->nlmsg_seq = ++sequence;
	request.header()->nlmsg_pid = port;
	if (mnl_socket_sendto(socket.get(), request.header(), request.length()) < 0)
		return system_error(errno);
	return {};
}

Result<bool> Socket::receive(Request &request, const Visit &visit)
{
	SecretBytes buffer(receive_size);
	bool interrupted = false;

	for (;;) {
		const ssize_t received =
			mnl_socket_recvfrom(socket.get(), buffer.data(), buffer.size());

		if (received < 0 && errno == EINTR)
			continue;
		if (received < 0)
			return system_error(errno);

		int left = static_cast<int>(received);
		for (auto message = reinterpret_cast<const nlmsghdr *>(buffer.data());
		     mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
			const auto start = reinterpret_cast<const uint8_t *>(message);
			const std::span whole(start, message->nlmsg_len);
			std::size_t extended = 0;
			int number = 0;

			/* The rest of an exchange that was given up. */
			if (message->nlmsg_seq != sequence)
				continue;
			interrupted |= message->nlmsg_flags & NLM_F_DUMP_INTR;
			if (message->nlmsg_type == NLMSG_ERROR) {
				if (whole.size() < MNL_NLMSG_HDRLEN + sizeof(nlmsgerr))
					return system_error(EBADMSG);
				const auto error = static_cast<const nlmsgerr *>(
					mnl_nlmsg_get_payload(message));
				number = -error->error;
				extended = MNL_NLMSG_HDRLEN + sizeof(nlmsgerr);
				if (!(message->nlmsg_flags & NLM_F_CAPPED))
					extended +=
						MNL_ALIGN(error->msg.nlmsg_len) - MNL_NLMSG_HDRLEN;
			} else if (message->nlmsg_type == NLMSG_DONE) {
				if (whole.size() >= MNL_NLMSG_HDRLEN + sizeof(int))
					memcpy(&number, mnl_nlmsg_get_payload(message),
					       sizeof(number));
				number = -number;
				extended = MNL_NLMSG_HDRLEN + sizeof(int);
			} else if (message->nlmsg_type >= NLMSG_MIN_TYPE) {
				visit(SecretBytes(whole.begin(), whole.end()));
				continue;
			} else {
				continue;
			}
			if (number <= 0)
				return interrupted;
			if (!(message->nlmsg_flags & NLM_F_ACK_TLVS) || extended > whole.size())
				return system_error(number);
			return system_error(number, extended_ack(whole.subspan(extended), request));
		}
	}
}

static Visit keep_in(std::vector<SecretBytes> &messages)
{
	return [&messages](SecretBytes message) { messages.push_back(std::move(message)); };
}

Result<std::vector<SecretBytes>> Socket::request(Request &request)
{
	std::vector<SecretBytes> messages;

	request.header()->nlmsg_flags |= NLM_F_ACK;
	TRY(send(request));
	TRY(receive(request, keep_in(messages)));
	return messages;
}

Result<std::vector<SecretBytes>> Socket::dump(Request &request)
{
	request.header()->nlmsg_flags |= NLM_F_DUMP;
	for (int attempt = 0; attempt < dump_attempts; attempt++) {
		std::vector<SecretBytes> messages;

		TRY(send(request));
		auto interrupted = receive(request, keep_in(messages));
		if (!interrupted && interrupted.error().number == EINTR)
			continue;
		if (!interrupted)
			return interrupted.error();
		if (!interrupted.value())
			return messages;
	}
	Error error = system_error(EINTR);
	error.what = "what is listed changes too fast to be read as a whole";
	error.hint = "try again";
	return error;
}

Status Socket::dump(Request &request, const Visit &visit)
{
	request.header()->nlmsg_flags |= NLM_F_DUMP;
	TRY(send(request));
	TRY(receive(request, visit));
	return {};
}

Status Socket::join(uint32_t group)
{
	const auto number = static_cast<int>(group);

	/* Beyond net.core.rmem_max only who may do so has it; with less, events are lost sooner. */
	if (setsockopt(descriptor(), SOL_SOCKET, SO_RCVBUFFORCE, &hear_size, sizeof(hear_size)))
		static_cast<void>(setsockopt(descriptor(), SOL_SOCKET, SO_RCVBUF, &hear_size,
					     sizeof(hear_size)));
	if (mnl_socket_setsockopt(socket.get(), NETLINK_ADD_MEMBERSHIP, const_cast<int *>(&number),
				  sizeof(number)) < 0)
		return system_error(errno);
	return {};
}

Result<Heard> Socket::heard()
{
	SecretBytes buffer(receive_size);
	Heard heard;

	/* Not all at once: who is flooded with them is to pass some on first. */
	while (heard.messages.size() < 64) {
		const ssize_t received =
			recv(descriptor(), buffer.data(), buffer.size(), MSG_DONTWAIT);

		if (received < 0 && errno == EINTR)
			continue;
		/* Said at once; but what waits came before what was lost, and nothing is added until that is read. */
		if (received < 0 && errno == ENOBUFS) {
			overrun = true;
			continue;
		}
		if (received < 0 && errno == EAGAIN) {
			heard.lost = std::exchange(overrun, false);
			break;
		}
		if (received < 0)
			return system_error(errno);
		int left = static_cast<int>(received);
		for (auto message = reinterpret_cast<const nlmsghdr *>(buffer.data());
		     mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
			const auto start = reinterpret_cast<const uint8_t *>(message);

			if (message->nlmsg_type >= NLMSG_MIN_TYPE)
				heard.messages.emplace_back(start, start + message->nlmsg_len);
		}
	}
	return heard;
}

} // namespace nwgctl::netlink
