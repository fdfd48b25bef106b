// SPDX-License-Identifier: GPL-2.0
/*
 * Keeps the CPU of a VM with virtual time from being idle, see init. A turn takes the emulator some 5 to
 * 10 ns, and as each of its instructions is one of virtual time, that passes as fast as time does, or half
 * as fast.
 */
void _start(void);

void _start(void)
{
	for (;;)
		asm volatile("nop; nop; nop; nop");
}
