#define BOOST_TEST_MODULE ptq
#include <boost/test/unit_test.hpp>
