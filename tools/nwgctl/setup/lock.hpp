/* SPDX-License-Identifier: GPL-2.0 */
/* One after the other: who changes an interface by its file. */
#ifndef NWGCTL_SETUP_LOCK_HPP
#define NWGCTL_SETUP_LOCK_HPP

#include <string>

#include "../result.hpp"

namespace nwgctl::setup
{

/* While it is held nobody else does what it is of. Who may not make its file does without. */
class Lock {
    public:
	/*
	 * Of all that is changed by files: interfaces, rules and tables, in all network namespaces. Commands of a file are run
	 * without it, as they may do that, too.
	 */
	static Lock of_all();
	/* Of one interface and its file, until all is done, commands included. It is taken before the other. */
	static Lock of_interface(const std::string &name);
	~Lock();
	Lock(const Lock &) = delete;
	Lock &operator=(const Lock &) = delete;

	/* Waits until nobody else holds it, and says so. */
	void take() const;
	/*
	 * Commands of a file may be what the other one waits for: to them it is an error. Who does not know that it is one, as a
	 * service that a command starts, waits for commands only so long.
	 */
	Status take_unless_in_hook() const;
	void release() const;
	/* For those who wait for it: whether commands of the file are run. */
	void note_hooks(bool run) const;

    private:
	Lock(const std::string &path, std::string what);
	/* Whether nobody else holds it. */
	bool take_now() const;
	bool has_hooks() const;

	const int file;
	/* For people: what others change meanwhile. */
	const std::string what;
};

/* Those of who changes an interface. */
struct Locks {
	const Lock own, all;

	/* While commands of the file are run: others may hold the one of all. */
	class ForHooks {
	    public:
		explicit ForHooks(const Locks &locks);
		~ForHooks();
		ForHooks(const ForHooks &) = delete;
		ForHooks &operator=(const ForHooks &) = delete;

	    private:
		const Locks &locks;
	};
};

} // namespace nwgctl::setup

#endif
