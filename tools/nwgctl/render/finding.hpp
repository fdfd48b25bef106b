/* SPDX-License-Identifier: GPL-2.0 */
/* What the doctor finds, for people. */
#ifndef NWGCTL_RENDER_FINDING_HPP
#define NWGCTL_RENDER_FINDING_HPP

#include <string>

#include "../diagnosis/finding.hpp"
#include "block.hpp"

namespace nwgctl::render
{

/* Where and what, and in a second line the remedy. */
std::string finding_text(const diagnosis::Finding &finding, const Palette &palette);

} // namespace nwgctl::render

#endif
