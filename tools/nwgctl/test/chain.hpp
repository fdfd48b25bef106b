/* SPDX-License-Identifier: GPL-2.0 */
/* Tests of what chains are made of. */
#ifndef NWGCTL_TEST_CHAIN_HPP
#define NWGCTL_TEST_CHAIN_HPP

void test_chain_network(void **state);
void test_chain_mtu(void **state);
void test_chain_plan(void **state);
void test_chain_qr(void **state);
void test_chain_conf(void **state);
void test_chain_routeros(void **state);
void test_chain_routeros_rules(void **state);
void test_chain_free_host(void **state);
void test_chain_readme(void **state);
void test_chain_notes(void **state);
void test_chain_diagnose(void **state);
void test_chain_idle(void **state);
void test_chain_counted(void **state);
void test_chain_picture(void **state);
void test_check_files(void **state);
void test_check_routeros(void **state);

#endif
