// SPDX-License-Identifier: GPL-2.0
/* genkey and genpsk: a new key on standard output. */
#include "command.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "key.hpp"
#include "say.hpp"

namespace nwgctl
{

static Status print_secret(const Key &key)
{
	std::string line = key.base64() + '\n';
	struct stat output;

	if (!fstat(STDOUT_FILENO, &output) && S_ISREG(output.st_mode) && output.st_mode & S_IRWXO)
		say("Warning: writing to world accessible file.\n"
		    "Consider setting the umask to 077 and trying again.\n");
	const ssize_t written = write(STDOUT_FILENO, line.data(), line.size());
	sodium_memzero(line.data(), line.size());
	if (written != static_cast<ssize_t>(line.size()))
		return usage_error(fmt::format("Unable to write the key: {}",
					       strerror(written < 0 ? errno : ENOSPC)));
	return {};
}

static Status generate(Arguments arguments, Key (*make)())
{
	if (!arguments.empty())
		return wrong_usage("no argument is taken");
	return print_secret(make());
}

Status genkey(const Options &, Arguments arguments)
{
	return generate(arguments, Key::random_private);
}

Status genpsk(const Options &, Arguments arguments)
{
	return generate(arguments, Key::random_preshared);
}

} // namespace nwgctl
