/* SPDX-License-Identifier: GPL-2.0 */
/* An interface as a file has it: made, changed into that, removed. Who calls this holds the lock of all, and is WithoutSignals. */
#ifndef NWGCTL_SETUP_INTERFACE_HPP
#define NWGCTL_SETUP_INTERFACE_HPP

#include "../config/quick.hpp"
#include "../result.hpp"
#include "lock.hpp"

namespace nwgctl::setup
{

/* Makes the interface, which must not be there, and what the file says of it; or nothing. */
Status up(const config::Quick &quick, const Locks &locks);

/* Changes the interface into what the file says; what is so already is left alone. Or changes nothing. */
Status reload(const config::Quick &quick, const Locks &locks);

/* Removes the interface and what was made for it. The frame of the file is enough. */
Status down(const config::Quick &quick, const Locks &locks);

/* Writes the file anew, as the interface is now. The frame of the file is enough. */
Status save(const config::Quick &quick, const Locks &locks);

} // namespace nwgctl::setup

#endif
