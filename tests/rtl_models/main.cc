#define BOOST_TEST_MODULE rtl_models
#include <boost/test/unit_test.hpp>
