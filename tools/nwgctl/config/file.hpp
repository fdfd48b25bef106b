/* SPDX-License-Identifier: GPL-2.0 */
/* Configuration files in the format of wg(8): read, written, compared with what is. */
#ifndef NWGCTL_CONFIG_FILE_HPP
#define NWGCTL_CONFIG_FILE_HPP

#include <string>
#include <string_view>

#include "../device.hpp"
#include "../result.hpp"

namespace nwgctl::config
{

enum class Mode {
	/* What the file does not say is reset, and peers that it does not name are removed. */
	replace,
	/* What the file does not say stays. */
	append,
};

/* The change that @text asks for. @name is the file's, for errors. Looks up endpoints. */
Result<DeviceChange> parse(std::string_view text, const std::string &name, Mode mode);

/* As above, with the contents of a file. */
Result<DeviceChange> load(const std::string &path, Mode mode);

/* A file that, loaded to replace, makes @device as it is. */
std::string print(const Device &device);

/* @wanted, which replaces, and of each of its peers all but the endpoint: what is not said of one is none. */
DeviceChange completed(DeviceChange wanted);

/* What of @wanted, which replaces, has to be done to @current: peers and values that are right are left alone. */
DeviceChange difference(const Device &current, const DeviceChange &wanted);

} // namespace nwgctl::config

#endif
