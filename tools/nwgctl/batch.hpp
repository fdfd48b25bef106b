/* SPDX-License-Identifier: GPL-2.0 */
/* Command lines from a file, in the form that ip(8) -batch has. */
#ifndef NWGCTL_BATCH_HPP
#define NWGCTL_BATCH_HPP

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "result.hpp"

namespace nwgctl
{

/*
 * One command is a line, or several of which all but the last end in a backslash. Words stand between white space, or in
 * quotes of either kind, which end the word; a # outside of them begins a comment.
 */
class Batch {
    public:
	using File = std::unique_ptr<FILE, int (*)(FILE *)>;

	/* @name is the file's, for errors. */
	Batch(File file, const std::string &name)
		: file(std::move(file))
		, name(name)
	{
	}
	/* "-" is standard input, which nothing else can be read from afterwards. */
	static Result<Batch> open(const std::string &path);

	/* The words of the next command; none at the end of the file. An error is of that command alone. */
	Result<std::vector<std::string>> next();
	/* "FILE:LINE" of the command that next() has read last, its first line. */
	std::string place() const;
	/* Whether it is known by now that nothing more can be read. */
	bool ended() const
	{
		return end;
	}

    private:
	Result<bool> read_line(std::string &text);

	File file;
	std::string name;
	unsigned long lines = 0, first_line = 0;
	bool end = false;
};

} // namespace nwgctl

#endif
