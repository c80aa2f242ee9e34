/// @file request_check.cpp  Looks at what comes from outside before Kamailio's own parsers do.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "request_check.hpp"

#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace bmd {

namespace {

using nlohmann::json;

// Follows the events of the (not recursive) parser; the first thing that does not belong stops it.
class RequestReader : public nlohmann::json_sax<json>
{
public:
	std::string wrong;

	bool key(std::string &name) override
	{
		key_ = name;
		if(!seen_.insert(name).second)
			return stop("a member is given twice");
		if(name != "jsonrpc" && name != "method" && name != "params" && name != "id")
			return stop("members are jsonrpc, method, params and id");
		return true;
	}
	bool string(std::string &text) override
	{
		if(depth_ == 2) {
			if(params_ == 0)
				first_ = text.substr(0, longest_name);
			return ++params_ <= 4 || stop("params has 1 or 4 strings");
		}
		if(key_ == "jsonrpc")
			return text == "2.0" || stop("jsonrpc is not \"2.0\"");
		if(key_ == "method")
			return text == "bmd.report" || stop("only the method bmd.report is served here");
		return key_ == "id" || stop("params is no array");
	}
	bool start_object(std::size_t) override
	{
		return ++depth_ == 1 || stop("an object within the request");
	}
	bool end_object() override
	{
		--depth_;
		return true;
	}
	bool start_array(std::size_t) override
	{
		return (++depth_ == 2 && key_ == "params") || stop("an array where none belongs");
	}
	bool end_array() override
	{
		--depth_;
		return true;
	}
	bool null() override { return number(); }
	bool boolean(bool) override { return stop("a member of the wrong type"); }
	bool number_integer(std::int64_t) override { return number(); }
	bool number_unsigned(std::uint64_t) override { return number(); }
	bool number_float(double, const std::string &) override
	{
		return stop("a member of the wrong type");
	}
	bool binary(json::binary_t &) override { return stop("binary"); }
	bool parse_error(std::size_t, const std::string &, const json::exception &) override
	{
		return stop("no JSON");
	}
	[[nodiscard]] bool complete() const
	{
		return seen_.count("jsonrpc") == 1 && seen_.count("method") == 1
			   && (params_ == 1 || params_ == 4);
	}

	/// Is it a batch of this collector?
	[[nodiscard]] bool is_of(std::string_view collector) const
	{
		return params_ == 4 && first_ == collector;
	}

private:
	static constexpr std::size_t longest_name = 64; // more than any collector's

	bool stop(const char *why)
	{
		wrong = why;
		return false;
	}
	bool number() { return (depth_ == 1 && key_ == "id") || stop("params are strings"); }

	std::string key_;
	std::string first_;
	std::set<std::string> seen_;
	int depth_ = 0;
	int params_ = 0;
};

} // namespace

Result<bool> check_report_request(std::string_view body, std::string_view collector)
{
	if(body.size() > max_request)
		return malformed("longer than 1 MiB");
	RequestReader reader;
	if(!json::sax_parse(body.begin(), body.end(), &reader))
		return malformed(reader.wrong.empty() ? "no JSON" : reader.wrong);
	if(!reader.complete())
		return malformed("jsonrpc, method or params is missing, or params has not 1 or 4 strings");
	if(!collector.empty() && !reader.is_of(collector))
		return Error{Errc::denied, "not a batch of the collector that the certificate names"};
	return true;
}

} // namespace bmd
