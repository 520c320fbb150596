/*
 * segment_names_internal.h
 *	  What the files behind segment_names.h share.
 */
#ifndef SEGMENT_NAMES_INTERNAL_H
#define SEGMENT_NAMES_INTERNAL_H

#include "retailml/segment_names.h"

typedef enum RmlGrade
{
	RML_VERY_LOW,
	RML_LOW,
	RML_AVERAGE,
	RML_HIGH,
	RML_VERY_HIGH,
	RML_GRADES,
	RML_UNGRADED = RML_GRADES /* not in the name, unless compared */
} RmlGrade;

/* what a name says of one trait; bytes are compared, so there is no padding */
typedef struct RmlWord
{
	int32_t grade;
	int32_t place; /* from the top, 1 .. of, within a clash; 0: not compared */
	int32_t of;
} RmlWord;

/* words of their own for features that many retailers have */
typedef struct RmlVocabulary RmlVocabulary;

/* what traits are called in names */
typedef struct RmlTraitWords
{
	RmlEnv *env;
	const RmlSegmentProfile *profile;
	char **display;                   /* [m] all different */
	const RmlVocabulary **vocabulary; /* [m] or NULL */
} RmlTraitWords;

extern void rml_trait_words(RmlTraitWords *words, RmlEnv *env, const RmlSegmentProfile *profile);
extern void rml_trait_words_release(RmlTraitWords *words);

extern RmlGrade rml_grade(double z);

/* "high x", "high x (higher)", "recent (lower recency)", "higher y", "more often PhD" */
extern const char *rml_trait_word(const RmlTraitWords *words, int trait, RmlWord word);

/* the longest beginning of a text that has at most so many bytes and ends between characters */
extern size_t rml_whole_characters(const char *text, size_t most);

/* names made of what sets the segments apart, of any length and all different */
extern char **rml_segment_generic_names(RmlEnv *env, const RmlSegmentProfile *profile);

#endif /* SEGMENT_NAMES_INTERNAL_H */
