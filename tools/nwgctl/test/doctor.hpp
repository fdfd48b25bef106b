/* SPDX-License-Identifier: GPL-2.0 */
/* Tests of the doctor. */
#ifndef NWGCTL_TEST_DOCTOR_HPP
#define NWGCTL_TEST_DOCTOR_HPP

void test_doctor(void **state);
void test_doctor_firewall(void **state);

#endif
