/// @file main.cpp  bmd-sim: plays a medical device on a pseudo-terminal.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Options and the scenario format are in bmd-sim(1).

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

#include "player.hpp"

namespace {

constexpr int exit_data = 65; // EX_DATAERR of sysexits.h

std::atomic<bool> ended{false};

void on_end(int /*signal*/)
{
	ended = true;
}

bool read_recordings(const std::vector<std::string> &files, bmd::PlayOptions &options)
{
	for(const auto &file : files) {
		std::ifstream in(file, std::ios::binary);
		std::ostringstream content;
		content << in.rdbuf();
		if(!in || content.str().empty()) {
			std::cerr << "bmd-sim: cannot read " << file << '\n';
			return false;
		}
		options.recordings.push_back(content.str());
		options.names.push_back(file.substr(file.rfind('/') + 1));
	}
	if(options.driver.empty())
		options.driver = options.recordings[0].starts_with("MISCF") ? "pb840" : "nonin";
	return true;
}

bool read_scenario(const std::string &file, bmd::PlayOptions &options)
{
	std::vector<std::string> mistakes;
	options.scenario = bmd::Scenario::load(file, mistakes);
	for(const auto &mistake : mistakes)
		std::cerr << mistake << '\n';
	options.driver = options.scenario->driver();
	return mistakes.empty();
}

int run(int argc, char **argv)
{
	CLI::App app("Plays a medical device on a pseudo-terminal, at the true line speed.");
	bmd::PlayOptions options;
	std::vector<std::string> recordings;
	std::string scenario;
	std::string link;
	auto *source = app.add_option_group("source");
	source->add_option("--recording", recordings, "files to play, or replies to give in turn")
			->type_name("FILE");
	source->add_option("--scenario", scenario, "TOML file: values and faults over time")
			->type_name("FILE");
	source->require_option(1);
	app.add_option("--driver", options.driver, "device of a recording; default: from its bytes")
			->check(CLI::IsMember({"nonin", "pb840"}));
	app.add_option("--link", link, "make this symbolic link to the pseudo-terminal")
			->type_name("PATH");
	app.add_flag("--loop", options.loop, "begin again at the end");
	app.add_flag("--wait", options.wait, "begin when somebody opens the port");
	app.add_flag("--quiet", options.quiet, "print only the pseudo-terminal's path");
	app.add_option("--speed", options.speed, "times as fast as real")
			->check(CLI::Range(0.01, 1000.0));
	app.add_option("--duration", options.duration, "end after so many seconds of the device's time")
			->check(CLI::PositiveNumber);
	app.add_option("--frames-per-second", options.frames_per_second, "of an oximeter")
			->check(CLI::Range(0.1, 10000.0))
			->capture_default_str();
	app.add_option("--baud", options.baud, "line speed of a ventilator's replies")
			->check(CLI::Range(300, 1000000))
			->capture_default_str();
	app.add_option("--seed", options.seed, "of the faults' chance")->capture_default_str();
	CLI11_PARSE(app, argc, argv);

	if(!(scenario.empty() ? read_recordings(recordings, options)
						  : read_scenario(scenario, options)))
		return exit_data;
	bmd::Pty pty(link);
	std::signal(SIGTERM, on_end);
	std::signal(SIGINT, on_end);
	std::printf("pty %s\n", pty.path().c_str());
	std::fflush(stdout);
	bmd::Player player(pty, std::move(options));
	player.play(ended);
	return 0;
}

} // namespace

int main(int argc, char **argv)
{
	try {
		return run(argc, argv);
	} catch(const std::exception &e) {
		std::cerr << "bmd-sim: " << e.what() << '\n';
		return 1;
	}
}
