/* SPDX-License-Identifier: GPL-2.0 */
/* One after the other: who changes an interface by its file. */
#ifndef NWGCTL_SETUP_LOCK_HPP
#define NWGCTL_SETUP_LOCK_HPP

namespace nwgctl::setup
{

/*
 * While it is held nobody else changes interfaces, rules and tables by a file: one for all network namespaces. Commands of a
 * file are run without it, as they may do that, too. Who may not make its file does without.
 */
class Lock {
    public:
	/* Waits until nobody else holds it, and says so. */
	Lock();
	~Lock();
	Lock(const Lock &) = delete;
	Lock &operator=(const Lock &) = delete;

	/* While it lives others may hold it. */
	class Released {
	    public:
		explicit Released(const Lock &lock);
		~Released();
		Released(const Released &) = delete;
		Released &operator=(const Released &) = delete;

	    private:
		const Lock &lock;
	};

    private:
	void take() const;

	const int file;
};

} // namespace nwgctl::setup

#endif
