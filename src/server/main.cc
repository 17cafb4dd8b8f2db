#include "server/command_line.h"

int main(int argument_count, char** arguments) {
  return stagedoor::server::command_line(argument_count, arguments);
}
