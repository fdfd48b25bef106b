/* SPDX-License-Identifier: GPL-2.0 */
/* Tests of files in the format of wg-quick(8). */
#ifndef NWGCTL_TEST_QUICK_HPP
#define NWGCTL_TEST_QUICK_HPP

void test_quick(void **);
void test_quick_errors(void **);
void test_quick_saved(void **);
void test_quick_frame(void **);
void test_quick_relays(void **);
void test_quick_space(void **);
void test_quick_completed(void **);

#endif
