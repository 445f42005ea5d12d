"""What the tests know of dashboards: the shipped ones as data, and checks that give the problems of one."""
