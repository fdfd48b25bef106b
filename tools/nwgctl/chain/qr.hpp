/* SPDX-License-Identifier: GPL-2.0 */
/* QR codes of clients' files, for the cameras of phones. */
#ifndef NWGCTL_CHAIN_QR_HPP
#define NWGCTL_CHAIN_QR_HPP

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../result.hpp"

namespace nwgctl::chain
{

/* A square of modules, the light margin not included. */
struct QrCode {
	std::size_t size = 0;
	std::vector<bool> modules;

	/* Whether a module is dark; those around the code are light. */
	bool dark(std::ptrdiff_t row, std::ptrdiff_t column) const;
	bool operator==(const QrCode &) const = default;
};

/* An error if the text, without NUL, is longer than the 2953 bytes that a code holds. */
Result<QrCode> encode_qr(std::string_view text);

/* As a file in PNG format, 8 pixels a module, 4 modules of margin. */
Result<std::string> qr_png(const QrCode &code);
/* The code in a file, if it is one that qr_png() made. */
std::optional<QrCode> read_qr_png(const std::string &path);

/* How a terminal draws it. */
struct QrStyle {
	/* Half blocks, two modules a character; else two characters a module. */
	bool utf8 = true;
	/* Black on white by escape sequences; else light is what the terminal writes in, as its background is mostly dark. */
	bool colored = true;
	/* Modules of margin on each side. */
	std::size_t margin = 4;
};

std::string qr_text(const QrCode &code, const QrStyle &style);

} // namespace nwgctl::chain

#endif
