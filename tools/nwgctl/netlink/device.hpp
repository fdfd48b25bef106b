/* SPDX-License-Identifier: GPL-2.0 */
/* Reading and changing a WireGuard interface, of either kind. */
#ifndef NWGCTL_NETLINK_DEVICE_HPP
#define NWGCTL_NETLINK_DEVICE_HPP

#include <span>
#include <vector>

#include "../device.hpp"
#include "../result.hpp"
#include "../secret.hpp"
#include "link.hpp"
#include "message.hpp"

namespace nwgctl::netlink
{

/* State of the interface. */
Result<Device> get_device(const Link &link);

/*
 * Changes the interface. A change that does not fit one message goes in several: the kernel then refuses from the first
 * bad message on.
 */
Status set_device(const Link &link, const DeviceChange &change);

/* One message of a dump, added to what came before it: a peer that continues the last one is joined to it. */
void add_device_message(Device &device, const SecretBytes &message);

/* The requests that make a change, without the acknowledgement flag. */
std::vector<Request> device_requests(uint16_t family, const Link &link, const DeviceChange &change);

} // namespace nwgctl::netlink

#endif
