/* SPDX-License-Identifier: GPL-2.0 */
/* A chain's directory: made whole or not at all, and changed likewise. */
#ifndef NWGCTL_CHAIN_DIRECTORY_HPP
#define NWGCTL_CHAIN_DIRECTORY_HPP

#include <string>
#include <utility>

#include "../result.hpp"
#include "files.hpp"

namespace nwgctl::chain
{

/* A new file, mode 0600, on the disk when this is done; what has the name already is never touched. */
Status write_new_file(const std::string &name, const std::string &text);

/* Without slashes at the end. */
std::string directory_name(std::string name);

/* An error if there is something of that name already. */
Status check_new_directory(const std::string &name);

/*
 * Makes directory @name, mode 0700, with @files, mode 0600, in directories that their names have. They are written beside it
 * first, so that it is there with all of them or not at all; what has the name already is never touched.
 */
Status make_directory(const std::string &name, const Files &files);

/* Whoever holds it is the only one that changes the directory. */
class Lock {
    public:
	/* Waits until nobody else holds it. */
	static Result<Lock> take(const std::string &directory);

	Lock(Lock &&other)
		: file(std::exchange(other.file, -1))
	{
	}
	Lock &operator=(Lock &&) = delete;
	~Lock();

    private:
	explicit Lock(int file)
		: file(file)
	{
	}

	int file;
};

/*
 * Makes the contents of files in @directory what @files says, mode 0600, in that order. All are written beside first; if one
 * cannot be put in its place, those before it are taken back.
 */
Status change_files(const std::string &directory, const Files &files);

} // namespace nwgctl::chain

#endif
