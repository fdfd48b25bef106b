/* SPDX-License-Identifier: GPL-2.0 */
/* What comes of rules that relays take the place of. */
#ifndef NWGCTL_RENDER_MIGRATION_HPP
#define NWGCTL_RENDER_MIGRATION_HPP

#include "../command.hpp"
#include "../migration/steps.hpp"

namespace nwgctl::render
{

/* On standard output; how the files differ only if nothing is written. */
void print_migration(const migration::Report &report, const Options &options);

} // namespace nwgctl::render

#endif
