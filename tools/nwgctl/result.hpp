/* SPDX-License-Identifier: GPL-2.0 */
/* Errors as values. */
#ifndef NWGCTL_RESULT_HPP
#define NWGCTL_RESULT_HPP

#include <string>
#include <utility>
#include <variant>

namespace nwgctl
{

/* Exit codes, as ip(8) has them. */
enum class Exit { ok = 0, usage = 1, refused = 2 };

/**
 * struct Error - why something was not done
 * @exit: exit status of the program; @usage for what the user wrote or what a file says, @refused for the kernel
 * @what: the failed operation and the reason, one line without a full stop; empty if it was said already
 * @kernel: the kernel's extended-ack text, or empty
 * @hint: the remedy, or empty
 * @number: errno of the kernel's refusal, or 0
 * @show_usage: the words do not have the form of the command, which is to be shown
 */
struct Error {
	Exit exit = Exit::usage;
	std::string what;
	std::string kernel = {};
	std::string hint = {};
	int number = 0;
	bool show_usage = false;
};

/* What the user wrote is wrong. */
inline Error usage_error(std::string what, std::string hint = {})
{
	return Error{ Exit::usage, std::move(what), {}, std::move(hint) };
}

/* Either a value or an Error; it cannot be dropped without a warning. */
template <typename T> class [[nodiscard]] Result {
    public:
	Result(T value)
		: state(std::in_place_index<0>, std::move(value))
	{
	}
	Result(Error error)
		: state(std::in_place_index<1>, std::move(error))
	{
	}
	explicit operator bool() const
	{
		return state.index() == 0;
	}
	T &value()
	{
		return std::get<0>(state);
	}
	const T &value() const
	{
		return std::get<0>(state);
	}
	T take()
	{
		return std::move(std::get<0>(state));
	}
	Error &error()
	{
		return std::get<1>(state);
	}
	const Error &error() const
	{
		return std::get<1>(state);
	}

    private:
	std::variant<T, Error> state;
};

template <> class [[nodiscard]] Result<void> {
    public:
	Result() = default;
	Result(Error error)
		: state(std::move(error))
	{
	}
	explicit operator bool() const
	{
		return state.index() == 0;
	}
	void take()
	{
	}
	Error &error()
	{
		return std::get<1>(state);
	}
	const Error &error() const
	{
		return std::get<1>(state);
	}

    private:
	std::variant<std::monostate, Error> state;
};

using Status = Result<void>;

/* The value of a Result, or return its error from the function around. */
#define TRY(expression)                                          \
	({                                                       \
		auto result_of_try = (expression);               \
		if (!result_of_try)                              \
			return std::move(result_of_try.error()); \
		result_of_try.take();                            \
	})

} // namespace nwgctl

#endif
