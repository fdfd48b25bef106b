/* SPDX-License-Identifier: GPL-2.0 */
/* Tests of completion, and of the table of commands that it is made of. */
#ifndef NWGCTL_TEST_COMPLETION_HPP
#define NWGCTL_TEST_COMPLETION_HPP

void test_grammar(void **state);
void test_command_examples(void **state);
void test_completion(void **state);
void test_completion_options(void **state);
void test_completion_names(void **state);

#endif
