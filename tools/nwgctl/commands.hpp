/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table of the commands: what they are called, what they take, and what their help says. Nothing else knows: help and
 * completion are both made of it.
 */
#ifndef NWGCTL_COMMANDS_HPP
#define NWGCTL_COMMANDS_HPP

#include <span>
#include <string>

#include "command.hpp"

namespace nwgctl
{

struct Command {
	/* "relay add": the command of an object. */
	const char *object, *name;
	Status (*run)(const Options &options, Arguments arguments);
	const char *summary;
	/* Read by completion, too: see completion/grammar.hpp for what may be in it. */
	const char *arguments;
	const char *example;
};

/* The first is what is done without a command. */
std::span<const Command> commands();

/* A line for each option, as completion reads it: short and long name, what it takes, two spaces or more, the rest. */
extern const char *const options_help;

std::string usage(const Command &command);
std::string command_help(const Command &command);
/* Of an object such as "relay", or of the program if it is null. */
std::string list_help(const char *object);

} // namespace nwgctl

#endif
