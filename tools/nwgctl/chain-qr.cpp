// SPDX-License-Identifier: GPL-2.0
/* chain qr: a client's file as a QR code, on the terminal or as an image. */
#include "command.hpp"

#include <fmt/format.h>

#include "config/value.hpp"
#include "render/block.hpp"
#include "render/screen.hpp"
#include "words.hpp"
#include "chain/directory.hpp"
#include "chain/plan.hpp"
#include "chain/qr.hpp"

namespace nwgctl
{

/* Anything that fits the line is as good for a camera: white all around, more than nothing. */
static std::size_t margin_for(std::size_t size, std::size_t columns, bool utf8)
{
	static constexpr std::size_t wanted = 4, least = 2;

	return (size + 2 * wanted) * (utf8 ? 1 : 2) <= columns ? wanted : least;
}

Status chain_qr(const Options &, Arguments arguments)
{
	if (arguments.size() < 2)
		return wrong_usage("directory and name of the client must be there");
	const auto directory = chain::directory_name(arguments[0]);
	const auto name = TRY(chain::parse_client_name(arguments[1]));
	Words words(arguments.subspan(2));
	const bool to_file = words.take("png");
	if (!words.empty())
		return words.unknown();

	const auto path = fmt::format("{}/clients/{}.conf", directory, name);
	auto text = config::read_file(path);
	if (!text) {
		text.error().hint = fmt::format("see which there are: ls {}/clients", directory);
		return text.error();
	}
	const auto code = TRY(chain::encode_qr({ text.value().data(), text.value().size() }));
	if (to_file) {
		const auto lock = TRY(chain::Lock::take(directory));

		return chain::change_files(directory, { { fmt::format("clients/{}.png", name),
							  TRY(chain::qr_png(code)) } });
	}
	const bool utf8 = render::utf8_output();
	fmt::print("{}",
		   chain::qr_text(code, { .utf8 = utf8,
					  .colored = !render::Palette::for_output().reset().empty(),
					  .margin = margin_for(code.size, render::output_columns(),
							       utf8) }));
	return {};
}

} // namespace nwgctl
