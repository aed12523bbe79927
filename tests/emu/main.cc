#define BOOST_TEST_MODULE emu
#include <boost/test/unit_test.hpp>
