// SPDX-License-Identifier: GPL-2.0
/* Command lines of a batch file. */
#include "fuzz.hpp"

#include "../batch.hpp"

using namespace nwgctl;

int LLVMFuzzerTestOneInput(const uint8_t *data, std::size_t size)
{
	std::string text(fuzz::text_of(data, size));

	if (text.empty())
		return 0;
	Batch batch(Batch::File(fmemopen(text.data(), text.size(), "r"), fclose), "batch");
	/* One that is refused is a line at least. */
	for (std::size_t commands = 0;; commands++) {
		const auto words = batch.next();

		fuzz::must(commands <= text.size());
		fuzz::must(!batch.place().empty());
		if (words && words.value().empty())
			break;
	}
	fuzz::must(batch.ended());
	return 0;
}
