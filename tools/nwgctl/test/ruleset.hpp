/* SPDX-License-Identifier: GPL-2.0 */
/* Tests of how rules of packet filters are read. */
#ifndef NWGCTL_TEST_RULESET_HPP
#define NWGCTL_TEST_RULESET_HPP

void test_iptables(void **state);
void test_iptables_words(void **state);
void test_states(void **state);
void test_names_in_set(void **state);
void test_nft(void **state);
void test_nft_of_iptables(void **state);

#endif
