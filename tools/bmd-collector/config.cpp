/// @file config.cpp  The collector's configuration file.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "config.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <toml++/toml.h>
#include <unistd.h>

namespace bmd {

namespace {

constexpr std::array<std::string_view, 6> levels{
		"trace", "debug", "info", "warning", "error", "critical"};
constexpr std::array<std::int64_t, 9> bauds{
		1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400};

/// Takes the settings of one table one by one; what is left over at the end is a mistake.
class Table
{
public:
	Table(const toml::table &table, std::string where, const std::string &path,
			std::vector<std::string> &mistakes)
		: table_(table), where_(std::move(where)), path_(path), mistakes_(mistakes)
	{
	}

	void wrong(const std::string &key, const std::string &what)
	{
		const toml::node *node = table_.get(key);
		const auto line = node != nullptr ? node->source().begin.line : table_.source().begin.line;
		mistakes_.push_back(path_ + ":" + std::to_string(line) + ": " + where_ + key + " " + what);
	}

	/// Returns whether the setting is there and right; otherwise `out` keeps its default.
	bool text(const std::string &key, std::string &out, bool required = false)
	{
		const toml::node *node = take(key, required);
		if(node == nullptr)
			return false;
		const auto value = node->value_exact<std::string>();
		if(!value || value->empty()) {
			wrong(key, "must be a text in quotes, not empty");
			return false;
		}
		out = *value;
		return true;
	}

	bool number(const std::string &key, double &out, double min, double max)
	{
		const toml::node *node = take(key, false);
		if(node == nullptr)
			return false;
		const auto value = node->is_number() ? node->value<double>() : std::nullopt;
		if(!value || !(*value >= min && *value <= max)) {
			wrong(key, "must be a number from " + plain(min) + " to " + plain(max));
			return false;
		}
		out = *value;
		return true;
	}

	bool flag(const std::string &key, bool &out)
	{
		const toml::node *node = take(key, false);
		if(node == nullptr)
			return false;
		const auto value = node->value_exact<bool>();
		if(!value) {
			wrong(key, "must be true or false");
			return false;
		}
		out = *value;
		return true;
	}

	const toml::node *take(const std::string &key, bool required)
	{
		taken_.insert(key);
		const toml::node *node = table_.get(key);
		if(node == nullptr && required)
			wrong(key, "is missing");
		return node;
	}

	void finish()
	{
		for(const auto &[key, node] : table_)
			if(!taken_.contains(std::string(key.str())))
				wrong(std::string(key.str()), "is unknown");
	}

private:
	static std::string plain(double value)
	{
		std::string text = std::to_string(value);
		text.erase(text.find_last_not_of('0') + 1);
		if(text.back() == '.')
			text.pop_back();
		return text;
	}

	const toml::table &table_;
	std::string where_;
	const std::string &path_;
	std::vector<std::string> &mistakes_;
	std::set<std::string> taken_;
};

bool loopback(std::string_view url)
{
	const auto host = url.substr(url.find("://") + 3);
	return std::ranges::any_of(std::array<std::string_view, 3>{"127.", "localhost", "[::1]"},
			[&](std::string_view name) {
				if(!host.starts_with(name))
					return false;
				const auto rest = host.substr(name.size());
				return name == "127."
							   ? rest.find_first_not_of("0123456789.") == rest.find_first_of(":/")
							   : rest.empty() || rest[0] == ':' || rest[0] == '/';
			});
}

void check_readable(Table &table, const std::string &key, const std::string &file)
{
	if(!file.empty() && access(file.c_str(), R_OK) != 0)
		table.wrong(key, "names a file that cannot be read");
}

void read_server(Table table, ServerConfig &out)
{
	const bool url = table.text("url", out.url, true);
	if(table.text("collector", out.collector, true) && !valid_serial(out.collector))
		table.wrong("collector", "must be 1 to 31 of letters, digits, '.', '_', '-'");
	table.text("ca", out.ca);
	table.text("cert", out.cert);
	table.text("key", out.key);
	table.number("timeout_seconds", out.timeout_seconds, 0.1, 300);
	table.flag("allow_clear", out.allow_clear);
	check_readable(table, "ca", out.ca);
	check_readable(table, "cert", out.cert);
	check_readable(table, "key", out.key);
	if(out.cert.empty() != out.key.empty())
		table.wrong(out.cert.empty() ? "key" : "cert", "needs the other of cert and key");
	const bool clear = out.url.starts_with("http://");
	if(url && !clear && !out.url.starts_with("https://"))
		table.wrong("url", "must begin with https:// or http://");
	else if(url && clear && !out.allow_clear && !loopback(out.url))
		table.wrong("url", "sends health data in clear to another machine: use https, or set "
						   "allow_clear");
	table.finish();
}

void read_spool(Table table, SpoolConfig &out)
{
	table.text("path", out.path, true);
	double size = static_cast<double>(out.size_mb);
	if(table.number("size_mb", size, 1, 1e6))
		out.size_mb = static_cast<std::uint64_t>(size);
	table.finish();
}

void read_log(Table table, std::string &level)
{
	if(table.text("level", level) && std::ranges::find(levels, level) == levels.end())
		table.wrong("level", "must be trace, debug, info, warning, error or critical");
	table.finish();
}

void read_baud(Table &table, PortConfig &out)
{
	const toml::node *node = table.take("baud", false);
	if(node == nullptr)
		return;
	const auto baud = node->value_exact<std::int64_t>();
	if(!baud || std::ranges::find(bauds, *baud) == bauds.end())
		table.wrong("baud", "must be a usual rate from 1200 to 230400");
	else
		out.baud = static_cast<unsigned>(*baud);
}

PortConfig read_port(Table table)
{
	PortConfig out;
	table.text("device", out.device, true);
	if(table.text("driver", out.driver, true)) {
		if(const auto *info = find_driver(out.driver))
			out.baud = info->baud;
		else
			table.wrong("driver", make_driver(out.driver, {}).error().reason);
	}
	if(table.text("serial", out.serial, true) && !valid_serial(out.serial))
		table.wrong("serial", "must be 1 to 31 of letters, digits, '.', '_', '-'");
	read_baud(table, out);
	std::string flow = "none";
	if(table.text("flow", flow) && flow != "none" && flow != "rtscts")
		table.wrong("flow", "must be none or rtscts");
	out.rtscts = flow == "rtscts";
	table.number("silence_seconds", out.silence_seconds, 1, 86400);
	table.flag("extended", out.options.extended);
	double poll = static_cast<double>(out.options.poll_interval) / second_us;
	if(table.number("poll_seconds", poll, 0.1, 3600))
		out.options.poll_interval = static_cast<DurationUs>(poll * second_us);
	table.finish();
	return out;
}

void check_unique(const Config &config, const std::string &path, std::vector<std::string> &mistakes)
{
	std::set<std::string> devices;
	std::set<std::string> serials;
	for(const auto &port : config.ports) {
		if(!port.device.empty() && !devices.insert(port.device).second)
			mistakes.push_back(path + ": two ports have the device " + port.device);
		if(!port.serial.empty() && !serials.insert(port.serial).second)
			mistakes.push_back(path + ": two ports have the serial " + port.serial);
	}
}

} // namespace

Config load_config(const std::string &path, std::vector<std::string> &mistakes)
{
	Config config;
	toml::table root;
	try {
		root = toml::parse_file(path);
	} catch(const toml::parse_error &e) {
		mistakes.push_back(path + ":" + std::to_string(e.source().begin.line) + ": "
						   + std::string(e.description()));
		return config;
	}
	Table top(root, "", path, mistakes);
	const auto section = [&](const char *name, bool required) -> const toml::table * {
		const toml::node *node = top.take(name, required);
		if(node != nullptr && !node->is_table())
			top.wrong(name, "must be a section: [" + std::string(name) + "]");
		return node != nullptr ? node->as_table() : nullptr;
	};
	if(const auto *server = section("server", true))
		read_server(Table(*server, "server.", path, mistakes), config.server);
	if(const auto *spool = section("spool", true))
		read_spool(Table(*spool, "spool.", path, mistakes), config.spool);
	if(const auto *log = section("log", false))
		read_log(Table(*log, "log.", path, mistakes), config.log_level);
	const toml::node *ports = top.take("port", true);
	if(ports != nullptr && !ports->is_array_of_tables())
		top.wrong("port", "must be sections: [[port]]");
	else if(ports != nullptr)
		for(const auto &port : *ports->as_array())
			config.ports.push_back(read_port(Table(*port.as_table(), "port.", path, mistakes)));
	top.finish();
	check_unique(config, path, mistakes);
	return config;
}

} // namespace bmd
