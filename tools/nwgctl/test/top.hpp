/* SPDX-License-Identifier: GPL-2.0 */
/* Tests of the live view, without a terminal. */
#ifndef NWGCTL_TEST_TOP_HPP
#define NWGCTL_TEST_TOP_HPP

void test_short_numbers(void **);
void test_meter(void **);
void test_history(void **);
void test_sparkline(void **);
void test_table(void **);
void test_model(void **);
void test_flow_order(void **);
void test_keys(void **);
void test_layout(void **);
void test_layout_sizes(void **);

#endif
