// SPDX-License-Identifier: GPL-2.0
#include "process.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../say.hpp"

namespace nwgctl::setup
{

/* $PATH, which some callers set without the directories of the administrator's programs, made whole. */
static const std::string &path()
{
	static const std::string whole = [] {
		const char *given = getenv("PATH");
		std::string list = given ? given : "/usr/local/bin:/usr/bin:/bin";

		for (const char *directory : { "/usr/local/sbin", "/usr/sbin", "/sbin" }) {
			if (fmt::format(":{}:", list).find(fmt::format(":{}:", directory)) ==
			    list.npos)
				list += fmt::format(":{}", directory);
		}
		/* Also for what is started. */
		setenv("PATH", list.c_str(), 1);
		return list;
	}();

	return whole;
}

std::string find_program(const std::string &name)
{
	std::istringstream directories(path());
	std::string directory;

	while (std::getline(directories, directory, ':')) {
		const auto file = fmt::format("{}/{}", directory, name);

		if (!access(file.c_str(), X_OK))
			return file;
	}
	return {};
}

bool has_program(const std::string &name)
{
	return !find_program(name).empty();
}

static Error not_run(const std::string &name, int number)
{
	return Error{ Exit::refused,
		      fmt::format("Unable to run {}: {}", name, strerror(number)),
		      {},
		      number == ENOENT ? fmt::format("install what has {}", name) : "",
		      number };
}

/* An open file, or -1. */
struct File {
	explicit File(int number)
		: number(number)
	{
	}
	File(const File &) = delete;
	File &operator=(const File &) = delete;
	~File()
	{
		if (number >= 0)
			close(number);
	}
	const int number;
};

/* A file without a name that holds @input, from its start. */
static int memory_file(const std::string &input)
{
	const int file = memfd_create("nwgctl", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (file < 0)
		return -1;
	for (std::size_t written = 0; written < input.size();) {
		const ssize_t count = write(file, input.data() + written, input.size() - written);

		if (count < 0 && errno != EINTR) {
			close(file);
			return -1;
		}
		written += count < 0 ? 0 : static_cast<std::size_t>(count);
	}
	lseek(file, 0, SEEK_SET);
	return file;
}

/* Where a script that is handed over is: the first file behind the three that every program has. */
static constexpr int script_number = 3;
static constexpr const char *script_path = "/dev/fd/3";
/* What the shell has not read yet nobody else changes, whom a command may have become. */
static constexpr int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;

/*
 * A transaction blocks signals; whom it starts can be ended. But ^C goes to all of a terminal's foreground: a command of a file is
 * there, and ends by it; others do what is not to end half-way, and are not. They may write to the terminal still.
 */
static void set_signals(posix_spawnattr_t &attributes, bool is_hook)
{
	sigset_t blocked;
	short flags = POSIX_SPAWN_SETSIGMASK;

	sigprocmask(SIG_BLOCK, nullptr, &blocked);
	const bool apart = !is_hook && sigismember(&blocked, SIGINT);
	sigemptyset(&blocked);
	if (apart) {
		flags |= POSIX_SPAWN_SETPGROUP;
		posix_spawnattr_setpgroup(&attributes, 0);
		sigaddset(&blocked, SIGTTOU);
	}
	posix_spawnattr_setsigmask(&attributes, &blocked);
	posix_spawnattr_setflags(&attributes, flags);
}

/* Starts a program with these files as its first three, and @script, if it is one, behind them; and waits for it. */
static Status run_with(const std::vector<std::string> &command, int in, int out, int error_out,
		       int script = -1)
{
	std::vector<char *> words;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int status;
	pid_t child;

	for (const auto &word : command)
		words.push_back(const_cast<char *>(word.c_str()));
	words.push_back(nullptr);
	path();
	/* What was printed so far comes before what the program prints. */
	fflush(nullptr);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, error_out, STDERR_FILENO);
	if (script >= 0)
		posix_spawn_file_actions_adddup2(&actions, script, script_number);
	posix_spawnattr_init(&attributes);
	set_signals(attributes, script >= 0);
	const int error =
		posix_spawnp(&child, words[0], &actions, &attributes, words.data(), environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (error)
		return not_run(command[0], error);
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return not_run(command[0], errno);
	}
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return {};
	if (WIFEXITED(status))
		return Error{ Exit::refused, fmt::format("{} ended with exit status {}", command[0],
							 WEXITSTATUS(status)) };
	return Error{ Exit::refused,
		      fmt::format("{} was ended by signal {}", command[0], WTERMSIG(status)),
		      {},
		      {},
		      EINTR };
}

Status run(const std::vector<std::string> &command, const std::string &input)
{
	const File in(memory_file(input));

	if (in.number < 0)
		return not_run(command[0], errno);
	return run_with(command, in.number, STDERR_FILENO, STDERR_FILENO);
}

Result<std::string> output_of(const std::vector<std::string> &command)
{
	const File in(memory_file("")), out(memory_file("")), nowhere(memory_file(""));
	std::string text;
	char piece[4096];
	ssize_t count;

	if (in.number < 0 || out.number < 0 || nowhere.number < 0)
		return not_run(command[0], errno);
	TRY(run_with(command, in.number, out.number, nowhere.number));
	lseek(out.number, 0, SEEK_SET);
	while ((count = read(out.number, piece, sizeof(piece))) > 0)
		text.append(piece, static_cast<std::size_t>(count));
	return text;
}

Status run_hook(const std::string &command, const std::string &interface)
{
	static constexpr std::string_view placeholder = "%i";
	std::string text = command;

	for (std::size_t at = 0; (at = text.find(placeholder, at)) != text.npos;
	     at += interface.size())
		text.replace(at, placeholder.size(), interface);
	say("[#] {}\n", text);
	/*
	 * In a file without a name: a command line is not secret. What the shell starts does not get that file. The first command
	 * that fails ends it, as with wg-quick(8).
	 */
	const File script(memory_file(fmt::format("exec {}<&-; export {}={}; {}\n", script_number,
						  hook_variable, interface, text)));
	if (script.number < 0 || fcntl(script.number, F_ADD_SEALS, seals))
		return not_run("the command", errno);
	const std::vector<std::string> bash = { "bash", "-O",	    "extglob",	"-e",
						"-o",	"pipefail", script_path },
				       sh = { "sh", "-e", script_path };
	auto done = run_with(has_program("bash") ? bash : sh, STDIN_FILENO, STDERR_FILENO,
			     STDERR_FILENO, script.number);
	if (!done)
		done.error().what = fmt::format("`{}' failed: {}", text, done.error().what);
	return done;
}

} // namespace nwgctl::setup
