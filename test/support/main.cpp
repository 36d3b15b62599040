// main: one for each test program; Boost.Test brings the rest.

#define BOOST_TEST_MODULE upcase
#include <boost/test/unit_test.hpp>
