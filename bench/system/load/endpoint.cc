// The server behind the proxies, as that of `anyport bench`: `endpoint PORT`.
#include "load/endpoint.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  load::RaiseOpenFiles();
  load::Serve(load::Listen(std::atoi(argv[1])), load::Manners{});
}
