/* SPDX-License-Identifier: GPL-2.0 */
/* Tests of what is watched: queries of flows, events, metrics. */
#ifndef NWGCTL_TEST_SIGHT_HPP
#define NWGCTL_TEST_SIGHT_HPP

void test_client_filter(void **);
void test_flow_query(void **);
void test_query_order(void **);
void test_names(void **);
void test_said_names(void **);
void test_events(void **);
void test_metrics(void **);

#endif
