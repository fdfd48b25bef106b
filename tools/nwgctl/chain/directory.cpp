// SPDX-License-Identifier: GPL-2.0
#include "directory.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../signals.hpp"

namespace nwgctl::chain
{

static Error failed(const std::string &what, const std::string &name, int number,
		    std::string hint = {})
{
	return { Exit::usage,
		 fmt::format("Unable to {} `{}': {}", what, name, strerror(number)),
		 {},
		 std::move(hint),
		 number };
}

Status write_new_file(const std::string &name, const std::string &text)
{
	const int file =
		open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	std::size_t done = 0;

	if (file < 0)
		return failed("write", name, errno);
	/* Whatever the umask leaves of the mode. */
	int error = fchmod(file, 0600) ? errno : 0;
	while (!error && done < text.size()) {
		const ssize_t written = write(file, text.data() + done, text.size() - done);

		if (written < 0 && errno != EINTR)
			error = errno;
		done += written > 0 ? static_cast<std::size_t>(written) : 0;
	}
	if (!error && fsync(file))
		error = errno;
	if (close(file) && !error)
		error = errno;
	if (!error)
		return {};
	unlink(name.c_str());
	return failed("write", name, error);
}

static void sync_directory(const std::string &name)
{
	const int file = open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (file >= 0) {
		static_cast<void>(fsync(file));
		close(file);
	}
}

static std::string parent_of(const std::string &name)
{
	const auto parent = std::filesystem::path(name).parent_path().string();

	return parent.empty() ? "." : parent;
}

std::string directory_name(std::string name)
{
	while (name.size() > 1 && name.back() == '/')
		name.pop_back();
	return name;
}

Status check_new_directory(const std::string &name)
{
	struct stat found;

	if (name.empty())
		return usage_error("The directory's name is empty");
	if (!lstat(name.c_str(), &found))
		return failed("make", name, EEXIST,
			      "its keys would be lost: name another, or move that away");
	if (errno != ENOENT)
		return failed("make", name, errno);
	if (access(parent_of(name).c_str(), W_OK))
		return failed("make", name, errno,
			      errno == ENOENT ? fmt::format("first: mkdir {}", parent_of(name)) :
						"");
	return {};
}

/* Into a directory that nobody else knows yet. */
static Status fill_directory(const std::string &name, const Files &files)
{
	for (const auto &[file, text] : files) {
		const auto path = fmt::format("{}/{}", name, file);
		const auto parent = parent_of(path);

		if (WithoutSignals::is_interrupted())
			return usage_error("Interrupted");
		if (mkdir(parent.c_str(), 0700) && errno != EEXIST)
			return failed("make", parent, errno);
		TRY(write_new_file(path, text));
		sync_directory(parent);
	}
	return {};
}

/* Gives the directory its name, if nothing has it. Returns 0 or an errno. */
static int place_directory(const std::string &temporary, const std::string &name)
{
	/* musl has had renameat2() of its own for a short time only. */
	if (!syscall(SYS_renameat2, AT_FDCWD, temporary.c_str(), AT_FDCWD, name.c_str(),
		     RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL)
		return errno;
	/* Not every file system can. An empty directory gives way to another, and one that is not empty does not. */
	if (mkdir(name.c_str(), 0700))
		return errno;
	return rename(temporary.c_str(), name.c_str()) ? errno : 0;
}

Status make_directory(const std::string &name, const Files &files)
{
	std::string temporary = name + ".XXXXXX";

	TRY(check_new_directory(name));
	const WithoutSignals guard;
	if (!mkdtemp(temporary.data()))
		return failed("make", temporary, errno);
	auto status = fill_directory(temporary, files);
	if (status) {
		if (const int error = place_directory(temporary, name))
			status = failed("make", name, error);
	}
	if (!status) {
		std::error_code ignored;

		std::filesystem::remove_all(temporary, ignored);
		return status;
	}
	sync_directory(parent_of(name));
	return {};
}

Result<Lock> Lock::take(const std::string &directory)
{
	const int file = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (file < 0)
		return failed("open", directory, errno,
			      errno == ENOENT ? "make a chain: nwgctl chain new DIR" : "");
	if (flock(file, LOCK_EX)) {
		const int error = errno;

		close(file);
		return failed("lock", directory, error);
	}
	return Lock(file);
}

Lock::~Lock()
{
	if (file >= 0)
		close(file);
}

/* A file that is changed: what is new, and what was before, are beside it meanwhile. */
class Replacement {
    public:
	Replacement(std::string name, const std::string &text)
		: name(std::move(name))
		, text(text)
	{
	}
	Replacement(Replacement &&other)
		: name(other.name)
		, text(other.text)
		, had_old(std::exchange(other.had_old, false))
		, prepared(std::exchange(other.prepared, false))
		, placed(std::exchange(other.placed, false))
	{
	}
	Replacement &operator=(Replacement &&) = delete;
	~Replacement()
	{
		if (prepared)
			unlink(beside("new").c_str());
		if (had_old)
			unlink(beside("old").c_str());
	}

	Status prepare()
	{
		/* What an earlier one left that was killed. */
		unlink(beside("new").c_str());
		unlink(beside("old").c_str());
		TRY(write_new_file(beside("new"), text));
		prepared = true;
		had_old = !link(name.c_str(), beside("old").c_str());
		if (!had_old && errno != ENOENT)
			return failed("keep", name, errno);
		return {};
	}
	Status place()
	{
		if (rename(beside("new").c_str(), name.c_str()))
			return failed("write", name, errno);
		prepared = false;
		placed = true;
		return {};
	}
	void take_back()
	{
		if (!placed)
			return;
		if (!had_old)
			unlink(name.c_str());
		else if (!rename(beside("old").c_str(), name.c_str()))
			had_old = false;
	}

    private:
	/* Hidden, as no program is to take it for a file of its own. */
	std::string beside(const char *what) const
	{
		const std::filesystem::path path(name);

		return (path.parent_path() / fmt::format(".{}.{}", path.filename().string(), what))
			.string();
	}

	std::string name;
	const std::string &text;
	bool had_old = false, prepared = false, placed = false;
};

Status change_files(const std::string &directory, const Files &files)
{
	std::vector<Replacement> replacements;
	const WithoutSignals guard;

	for (const auto &[name, text] : files) {
		replacements.emplace_back(fmt::format("{}/{}", directory, name), text);
		TRY(replacements.back().prepare());
	}
	for (auto &replacement : replacements) {
		auto status = replacement.place();

		if (status)
			continue;
		for (auto &done : replacements)
			done.take_back();
		return status;
	}
	for (const auto &[name, text] : files)
		sync_directory(parent_of(fmt::format("{}/{}", directory, name)));
	return {};
}

} // namespace nwgctl::chain
