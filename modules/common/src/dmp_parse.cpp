/// @file dmp_parse.cpp  Text to a validated tree: the limits and what an attacker would try.
/// SPDX-License-Identifier: GPL-2.0-or-later

#include "bmd/dmp.hpp"

#include <memory>
#include <utility>

#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include "dmp_read.hpp"
#include "dmp_schema.hpp"
#include "dmp_text.hpp"

namespace bmd::dmp {

namespace {

// libxml2 compares each attribute of a tag with each other one.
constexpr std::size_t max_equals_signs = 1024;

struct FreeParser
{
	void operator()(xmlParserCtxtPtr parser) const noexcept { xmlFreeParserCtxt(parser); }
};
struct FreeDoc
{
	void operator()(xmlDocPtr doc) const noexcept { xmlFreeDoc(doc); }
};
using Parser = std::unique_ptr<xmlParserCtxt, FreeParser>;
using Doc = std::unique_ptr<xmlDoc, FreeDoc>;

struct Findings
{
	FirstError error;
	bool has_dtd = false;
};

Findings &findings_of(void *parser) noexcept
{
	return *static_cast<Findings *>(static_cast<xmlParserCtxtPtr>(parser)->_private);
}

void on_error(void *parser, xmlErrorPtr error)
{
	findings_of(parser).error.take(error);
}

// Called at the name of a DOCTYPE, before anything of it is read.
void on_doctype(void *parser, const xmlChar *, const xmlChar *, const xmlChar *)
{
	findings_of(parser).has_dtd = true;
	xmlStopParser(static_cast<xmlParserCtxtPtr>(parser));
}

std::optional<Error> check_bytes(std::string_view xml)
{
	if(xml.size() > max_bytes)
		return malformed("document of " + std::to_string(xml.size()) + " bytes, at most "
						 + std::to_string(max_bytes) + " are read");
	if(xml.empty())
		return malformed("document is empty");
	std::size_t equals_signs = 0;
	for(const char c : xml) {
		if(c == '\0')
			return malformed("document is not UTF-8 text");
		equals_signs = c == '<' ? 0 : equals_signs + (c == '=' ? 1 : 0);
		if(equals_signs > max_equals_signs)
			return malformed("too many attributes in one tag");
	}
	return std::nullopt;
}

// Of the XML declaration; empty: none.  libxml2 would hand an unknown name to iconv, which loads
// whatever module of the system bears it, before we see anything.
std::string_view declared_encoding(std::string_view xml) noexcept
{
	if(xml.starts_with("\xEF\xBB\xBF"))
		xml.remove_prefix(3);
	if(!xml.starts_with("<?xml"))
		return {};
	const std::string_view declaration = xml.substr(0, xml.find('>'));
	const std::size_t at = declaration.find("encoding");
	if(at == std::string_view::npos)
		return {};
	const std::size_t open = declaration.find_first_of("\"'", at);
	if(open == std::string_view::npos)
		return {};
	const std::size_t close = declaration.find(declaration[open], open + 1);
	return close == std::string_view::npos ? std::string_view()
										   : declaration.substr(open + 1, close - open - 1);
}

bool utf8(std::string_view encoding)
{
	const std::string name(encoding);
	return name.empty() || xmlStrcasecmp(BAD_CAST name.c_str(), BAD_CAST "UTF-8") == 0
		   || xmlStrcasecmp(BAD_CAST name.c_str(), BAD_CAST "US-ASCII") == 0;
}

Result<Doc> parse_tree(std::string_view xml)
{
	if(!utf8(declared_encoding(xml)))
		return malformed("the encoding is not UTF-8");
	const Parser parser(xmlNewParserCtxt());
	if(!parser)
		return Error{Errc::fatal, "no memory for the XML parser"};
	Findings findings;
	parser->_private = &findings;
	parser->sax->internalSubset = on_doctype;
	parser->sax->serror = on_error;
	Doc doc(xmlCtxtReadMemory(parser.get(), xml.data(), static_cast<int>(xml.size()), nullptr,
			"UTF-8",
			XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_NOERROR | XML_PARSE_NOWARNING));
	if(findings.has_dtd)
		return malformed("a document type declaration is refused");
	if(!findings.error.text.empty())
		return malformed(findings.error.text);
	if(!doc || parser->wellFormed == 0 || parser->nsWellFormed == 0)
		return malformed("not well-formed XML");
	return doc;
}

bool is_action(const xmlNode *node) noexcept
{
	for(const char *name :
			{"Control", "Query", "Subscribe", "ControlResponse", "QueryResponse", "Notify"})
		if(xmlStrEqual(node->name, BAD_CAST name) != 0)
			return true;
	return false;
}

// The next node in document order; `depth` follows.
xmlNodePtr next_node(xmlNodePtr node, std::size_t &depth) noexcept
{
	if(node->type == XML_ELEMENT_NODE && node->children != nullptr) {
		++depth;
		return node->children;
	}
	while(node != nullptr && node->next == nullptr) {
		node = node->parent;
		if(--depth == 0)
			return nullptr;
	}
	return node != nullptr ? node->next : nullptr;
}

// Takes the draft's namespace off and counts.
std::optional<Error> normalise(xmlNodePtr root)
{
	std::size_t actions = 0;
	std::size_t depth = 1;
	for(xmlNodePtr node = root; node != nullptr; node = next_node(node, depth)) {
		if(node->type == XML_ENTITY_REF_NODE)
			return malformed("an entity is refused");
		if(node->type != XML_ELEMENT_NODE)
			continue;
		if(depth > max_depth)
			return malformed("line " + std::to_string(xmlGetLineNo(node))
							 + ": elements deeper than " + std::to_string(max_depth));
		if(node->ns != nullptr && draft_namespace == reinterpret_cast<const char *>(node->ns->href))
			node->ns = nullptr;
		if(node->ns == nullptr && is_action(node) && ++actions > max_actions)
			return malformed("more than " + std::to_string(max_actions) + " actions");
	}
	return std::nullopt;
}

} // namespace

Result<Document> parse(std::string_view xml)
{
	if(auto error = check_bytes(xml))
		return std::move(*error);
	const auto doc = parse_tree(xml);
	if(!doc)
		return doc.error();
	const xmlNodePtr root = xmlDocGetRootElement(doc->get());
	if(root == nullptr)
		return malformed("document has no root element");
	if(auto error = normalise(root))
		return std::move(*error);
	if(auto error = validate(doc->get()))
		return std::move(*error);
	return read_tree(root);
}

} // namespace bmd::dmp
