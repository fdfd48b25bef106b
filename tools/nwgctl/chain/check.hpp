/* SPDX-License-Identifier: GPL-2.0 */
/* What is wrong with the files of a chain: each by itself, and against the others. */
#ifndef NWGCTL_CHAIN_CHECK_HPP
#define NWGCTL_CHAIN_CHECK_HPP

#include <string>
#include <vector>

#include "../result.hpp"

namespace nwgctl::chain
{

struct Finding {
	/* Path of the file; line 0 is all of it. */
	std::string file;
	unsigned int line = 0;
	std::string what, remedy;

	bool operator==(const Finding &) const = default;
};

/* FILE:LINE, or FILE if all of it is meant. */
std::string place_text(const std::string &file, unsigned int line);

/* Findings by file and line. An error if the directory cannot be read. */
Result<std::vector<Finding>> check_directory(const std::string &directory);

} // namespace nwgctl::chain

#endif
