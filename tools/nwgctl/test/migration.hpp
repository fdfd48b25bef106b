/* SPDX-License-Identifier: GPL-2.0 */
/* Tests of what relays take the place of. */
#ifndef NWGCTL_TEST_MIGRATION_HPP
#define NWGCTL_TEST_MIGRATION_HPP

void test_migrate_plan(void **state);
void test_migrate_left(void **state);
void test_migrate_masquerade(void **state);
void test_migrate_secrets(void **state);
void test_migrate_sockets(void **state);
void test_migrate_sides(void **state);
void test_migrate_forwarding(void **state);
void test_migrate_users(void **state);
void test_migrate_switches(void **state);
void test_migrate_steps(void **state);
void test_migrate_companions(void **state);
void test_migrate_families(void **state);
void test_migrate_conflicts(void **state);
void test_migrate_hooks(void **state);
void test_migrate_file(void **state);
void test_migrate_lines(void **state);
void test_migrate_diff(void **state);

#endif
