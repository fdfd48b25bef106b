// SPDX-License-Identifier: GPL-2.0
#include "qr.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>

#include <fmt/format.h>
#include <png.h>
#include <qrencode.h>

namespace nwgctl::chain
{

static constexpr std::size_t pixels = 8, png_margin = 4;

bool QrCode::dark(std::ptrdiff_t row, std::ptrdiff_t column) const
{
	const auto end = static_cast<std::ptrdiff_t>(size);

	return row >= 0 && column >= 0 && row < end && column < end &&
	       modules[static_cast<std::size_t>(row * end + column)];
}

Result<QrCode> encode_qr(std::string_view text)
{
	/* The lowest level of correction: of a code on a screen nothing is torn off, and its modules are larger. */
	const std::unique_ptr<QRcode, decltype(&QRcode_free)> made(
		QRcode_encodeData(static_cast<int>(text.size()),
				  reinterpret_cast<const unsigned char *>(text.data()), 0,
				  QR_ECLEVEL_L),
		QRcode_free);
	QrCode code;

	if (!made && errno == ERANGE)
		return usage_error(fmt::format("{} bytes are too many for a QR code", text.size()),
				   "it holds 2953: leave out comments, or take the file itself");
	if (!made)
		return usage_error(fmt::format("Unable to make a QR code: {}", strerror(errno)));
	code.size = static_cast<std::size_t>(made->width);
	for (std::size_t module = 0; module < code.size * code.size; module++)
		code.modules.push_back(made->data[module] & 1);
	return code;
}

static png_image png_header(std::size_t width)
{
	png_image image{};

	image.version = PNG_IMAGE_VERSION;
	image.width = image.height = static_cast<png_uint_32>(width);
	image.format = PNG_FORMAT_GRAY;
	return image;
}

Result<std::string> qr_png(const QrCode &code)
{
	const std::size_t width = (code.size + 2 * png_margin) * pixels;
	std::vector<uint8_t> gray(width * width);
	png_image image = png_header(width);
	png_alloc_size_t length = 0;
	std::string file;

	for (std::size_t pixel = 0; pixel < gray.size(); pixel++) {
		const auto module = [](std::size_t at) {
			return static_cast<std::ptrdiff_t>(at / pixels) -
			       static_cast<std::ptrdiff_t>(png_margin);
		};

		gray[pixel] = code.dark(module(pixel / width), module(pixel % width)) ? 0 : 255;
	}
	if (png_image_write_get_memory_size(image, length, 0, gray.data(), 0, nullptr)) {
		file.resize(length);
		if (png_image_write_to_memory(&image, file.data(), &length, 0, gray.data(), 0,
					      nullptr)) {
			file.resize(length);
			return file;
		}
	}
	return usage_error(fmt::format("Unable to make a PNG file: {}", image.message));
}

std::optional<QrCode> read_qr_png(const std::string &path)
{
	png_image image = png_header(0);
	std::vector<uint8_t> gray;
	QrCode code;

	if (!png_image_begin_read_from_file(&image, path.c_str()))
		return std::nullopt;
	const std::size_t width = image.width, margins = 2 * png_margin;
	/* 177 modules are the most that there are. */
	if (width != image.height || width % pixels || width / pixels <= margins ||
	    width / pixels > 177 + margins) {
		png_image_free(&image);
		return std::nullopt;
	}
	image.format = PNG_FORMAT_GRAY;
	gray.resize(width * width);
	if (!png_image_finish_read(&image, nullptr, gray.data(), 0, nullptr))
		return std::nullopt;
	code.size = width / pixels - margins;
	for (std::size_t row = 0; row < code.size; row++) {
		for (std::size_t column = 0; column < code.size; column++) {
			const std::size_t y = (row + png_margin) * pixels + pixels / 2;
			const std::size_t x = (column + png_margin) * pixels + pixels / 2;

			code.modules.push_back(gray[y * width + x] < 128);
		}
	}
	return code;
}

/* Characters for upper and lower module, by what of them is drawn. */
static const char *half_block(bool upper, bool lower)
{
	if (upper)
		return lower ? "█" : "▀";
	return lower ? "▄" : " ";
}

/* Of two modules, one above the other, or of one where a character is no block. */
static std::string cell(bool upper, bool lower, const QrStyle &style)
{
	if (style.utf8)
		return half_block(upper, lower);
	if (style.colored)
		return upper ? "\x1b[40m  " : "\x1b[107m  ";
	return upper ? "##" : "  ";
}

std::string qr_text(const QrCode &code, const QrStyle &style)
{
	const auto start = -static_cast<std::ptrdiff_t>(style.margin);
	const auto end = static_cast<std::ptrdiff_t>(code.size + style.margin);
	const std::ptrdiff_t step = style.utf8 ? 2 : 1;
	/* Drawn is what has the colour of letters: dark on white, light on a terminal's own background. */
	const auto drawn = [&](std::ptrdiff_t row, std::ptrdiff_t column) {
		return row < end && code.dark(row, column) == style.colored;
	};
	std::string text;

	for (std::ptrdiff_t row = start; row < end; row += step) {
		text += style.colored ? "\x1b[30;107m" : "";
		for (std::ptrdiff_t column = start; column < end; column++)
			text += cell(drawn(row, column), drawn(row + 1, column), style);
		text += style.colored ? "\x1b[0m\n" : "\n";
	}
	return text;
}

} // namespace nwgctl::chain
