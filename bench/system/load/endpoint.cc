// The server behind the proxies, as that of `anyport bench`: `endpoint PORT [hello]`. With `hello` it takes
// nothing but the hello of the clients, which it echoes before it closes.
#include "load/endpoint.h"

#include "hello.h"

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  load::RaiseOpenFiles();
  const load::Manners manners{
      .openings = load::Openings(argc > 2 ? std::vector{load::Hello()} : std::vector<std::string>{})};
  load::Serve(load::Listen(std::atoi(argv[1])), manners);
}
