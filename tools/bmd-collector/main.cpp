/// @file main.cpp  bmd-collector: reads devices on serial ports, reports to the bmd-alert server.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Options and signals are in bmd-collector(1).

#include <CLI/CLI.hpp>
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <csignal>
#include <curl/curl.h>
#include <iostream>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include "clock.hpp"
#include "config.hpp"
#include "once.hpp"
#include "port.hpp"
#include "uplink.hpp"

namespace {

constexpr int exit_config = 78; // EX_CONFIG of sysexits.h

bool load(const std::string &file, bmd::Config &config)
{
	std::vector<std::string> mistakes;
	config = bmd::load_config(file, mistakes);
	for(const auto &mistake : mistakes)
		std::cerr << mistake << '\n';
	return mistakes.empty();
}

void log_stats(const std::vector<std::unique_ptr<bmd::Port>> &ports, const bmd::Uplink &uplink)
{
	for(const auto &port : ports)
		port->log_stats();
	const auto s = uplink.stats();
	spdlog::info("uplink: batches={} requests={} accepted={} refused={} refused_batches={} "
				 "duplicates={} busy={} judged={} failures={} dropped={} dropped_alarms={} "
				 "lost_frames={} "
				 "waiting_batches={} spool_bytes={} held_bytes={}",
			s.batches, s.requests, s.accepted, s.refused, s.refused_batches, s.duplicates, s.busy,
			s.judged, s.failures, s.dropped, s.dropped_alarms, s.lost_frames, s.waiting_batches,
			s.spool_bytes, s.held_bytes);
}

/// Runs until SIGTERM or SIGINT.
int collect(const bmd::Config &config)
{
	spdlog::set_default_logger(spdlog::stderr_logger_mt("bmd-collector"));
	spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %n %l %v");
	spdlog::set_level(spdlog::level::from_str(config.log_level));
	umask(S_IRWXG | S_IRWXO); // the spool holds what patients' devices said
	auto spool = bmd::Spool::open(
			config.spool.path, config.spool.size_mb * 1'000'000, bmd::wall_clock());
	if(!spool) {
		spdlog::critical("{}", spool.error().reason);
		return 1;
	}
	if(!spool->in_file())
		spdlog::critical("spool {} cannot be written: {}; readings are held in memory only, until "
						 "the collector is started again",
				config.spool.path, spool->reason());
	bmd::Outbox outbox;
	bmd::Uplink uplink(config, outbox, std::move(spool).value());
	asio::io_context io(1);
	std::vector<std::unique_ptr<bmd::Port>> ports;
	for(const auto &port : config.ports)
		ports.push_back(std::make_unique<bmd::Port>(io, port, outbox));

	std::signal(SIGXFSZ, SIG_IGN); // a file that may not grow is an error like a full disk
	asio::signal_set ends(io, SIGTERM, SIGINT);
	asio::signal_set asks(io, SIGUSR1);
	ends.async_wait([&](const asio::error_code &error, int /*signal*/) {
		if(error)
			return;
		spdlog::info("ending");
		asks.cancel();
		for(auto &port : ports)
			port->stop();
	});
	std::function<void(const asio::error_code &, int)> answer = [&](const asio::error_code &error,
																		int /*signal*/) {
		if(error)
			return;
		log_stats(ports, uplink);
		asks.async_wait(answer);
	};
	asks.async_wait(answer);

	uplink.start();
	for(auto &port : ports)
		port->start();
	io.run();
	uplink.stop();
	log_stats(ports, uplink);
	return 0;
}

int run(int argc, char **argv)
{
	CLI::App app("Reads biomedical devices on serial ports and reports to the bmd-alert server.");
	std::string config_file;
	std::string check_file;
	bmd::OnceOptions once;
	auto *modes = app.add_option_group("mode");
	modes->add_option("--config", config_file, "collect as this TOML file says")->type_name("FILE");
	modes->add_option("--check", check_file, "only check this configuration file")
			->type_name("FILE");
	auto *once_option = modes->add_option("--once", once.file,
									 "decode a recording (- is standard input) to text")
								->type_name("FILE");
	modes->require_option(1);
	std::string names;
	for(const auto &driver : bmd::drivers())
		names += (names.empty() ? "" : ", ") + std::string(driver.name);
	auto *driver_option = app.add_option("--driver", once.driver, "driver for --once: " + names)
								  ->type_name("NAME");
	once_option->needs(driver_option);
	driver_option->needs(once_option);
	app.add_flag("--extended", once.extended, "with --once: all averages of an oximeter")
			->needs(once_option);
	app.add_flag("--json", once.json, "with --once: one JSON object a line")->needs(once_option);
	CLI11_PARSE(app, argc, argv);

	if(!once.file.empty())
		return bmd::run_once(once);
	bmd::Config config;
	const bool check = !check_file.empty();
	if(!load(check ? check_file : config_file, config))
		return exit_config;
	if(check) {
		std::cout << check_file << ": good, " << config.ports.size() << " ports\n";
		return 0;
	}
	if(curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		throw std::runtime_error("libcurl cannot be set up");
	const int status = collect(config);
	curl_global_cleanup();
	return status;
}

} // namespace

int main(int argc, char **argv)
{
	try {
		return run(argc, argv);
	} catch(const std::exception &e) {
		std::cerr << "bmd-collector: " << e.what() << '\n';
		return 1;
	}
}
