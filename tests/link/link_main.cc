// Nothing to do: the test is that this program links.
int main() { return 0; }
