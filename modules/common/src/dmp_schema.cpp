/// @file dmp_schema.cpp  Validation with the two schemas.
/// SPDX-License-Identifier: GPL-2.0-or-later
/// Each schema is compiled once in the life of a process, at its first use, and never freed:
/// freeing it at exit would race with libxml2's own end.

#include "dmp_schema.hpp"

#include <algorithm>
#include <memory>

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>

#include "bmd/dmp.hpp"
#include "dmp_text.hpp"

namespace bmd::dmp {

namespace {

#include "dmp_xsd.inc"

template <auto function> struct Free
{
	template <class T> void operator()(T *pointer) const noexcept { function(pointer); }
};
template <class T, auto function> using Owned = std::unique_ptr<T, Free<function>>;
using SchemaParser = Owned<xmlSchemaParserCtxt, xmlSchemaFreeParserCtxt>;
using Validator = Owned<xmlSchemaValidCtxt, xmlSchemaFreeValidCtxt>;

// The import names a file next to dmp.xsd.  A library opens no files, so it goes; alerts are
// validated on their own.
std::string without_import(std::string_view text)
{
	std::string schema(text);
	const std::size_t begin = schema.find("<xs:import");
	if(begin != std::string::npos)
		schema.erase(begin, schema.find("/>", begin) + 2 - begin);
	return schema;
}

xmlSchemaPtr compile(std::string_view text)
{
	const std::string schema = without_import(text);
	const SchemaParser parser(
			xmlSchemaNewMemParserCtxt(schema.data(), static_cast<int>(schema.size())));
	if(!parser)
		return nullptr;
	FirstError ignored;
	xmlSchemaSetParserStructuredErrors(parser.get(), FirstError::handler, &ignored);
	return xmlSchemaParse(parser.get());
}

// A failed compilation (memory) is tried again at the next document.
xmlSchemaPtr schema(xmlSchemaPtr &kept, std::string_view text)
{
	if(kept == nullptr)
		kept = compile(text);
	return kept;
}

template <class Run>
std::optional<Error> run(xmlSchemaPtr schema, const Run &validation, std::string_view what)
{
	const Validator validator(schema != nullptr ? xmlSchemaNewValidCtxt(schema) : nullptr);
	if(!validator)
		return Error{Errc::fatal, "no memory for the DMP schema"};
	FirstError error;
	xmlSchemaSetValidStructuredErrors(validator.get(), FirstError::handler, &error);
	const int result = validation(validator.get());
	if(result == 0)
		return std::nullopt;
	if(result < 0)
		return Error{Errc::fatal, "the DMP schema could not be applied"};
	return malformed(std::string(what) + (error.text.empty() ? "not valid" : error.text));
}

} // namespace

void FirstError::take(const xmlError *error)
{
	if(error == nullptr || error->level < XML_ERR_ERROR || !text.empty())
		return;
	constexpr std::size_t longest = 200;
	std::string words = error->message != nullptr ? error->message : "unknown error";
	if(words.size() > longest)
		words.resize(longest);
	// one line of ASCII, whatever the document had in it
	std::replace_if(
			words.begin(), words.end(), [](unsigned char c) { return c < 0x20 || c > 0x7E; }, ' ');
	text = "line " + std::to_string(error->line) + ": " + std::string(trim(words));
}

void FirstError::handler(void *self, xmlErrorPtr error)
{
	static_cast<FirstError *>(self)->take(error);
}

std::optional<Error> validate(xmlDocPtr document)
{
	static xmlSchemaPtr kept = nullptr;
	return run(
			schema(kept, dmp_xsd),
			[document](xmlSchemaValidCtxtPtr v) { return xmlSchemaValidateDoc(v, document); }, "");
}

std::optional<Error> validate_ours(xmlNodePtr element)
{
	static xmlSchemaPtr kept = nullptr;
	return run(
			schema(kept, dmp_bmd_xsd),
			[element](xmlSchemaValidCtxtPtr v) { return xmlSchemaValidateOneElement(v, element); },
			"bmd:" + std::string(reinterpret_cast<const char *>(element->name)) + ": ");
}

std::string_view schema_text() noexcept
{
	return dmp_xsd;
}

std::string_view alert_schema_text() noexcept
{
	return dmp_bmd_xsd;
}

} // namespace bmd::dmp
