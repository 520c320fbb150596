/*
 * segment_levers.h
 *	  What marketing does with a segment: one sentence, the lever.
 *
 * Names of the built-in sets (segment_names.h) and of the RFM segments (rfm.h) have levers of their
 * own, and so have their twins: that of "Promising 2" is that of "Promising".  Any other segment
 * gets the lever that its profile suggests: by the roles that its features play (long gone, high
 * value, frequent, ...), else by its most telling trait.
 */
#ifndef RETAILML_SEGMENT_LEVERS_H
#define RETAILML_SEGMENT_LEVERS_H

#include "retailml/segment_names.h"

/* the name without the number of a twin (" 2"), or of a new cluster in a chain of models (" (2)") */
extern char *rml_segment_base_name(RmlEnv *env, const char *name);

/* the built-in lever of a name, or of that of which it is a twin; NULL: there is none */
extern const char *rml_segment_name_lever(RmlEnv *env, const char *name);

/* the lever that the profile of a segment suggests */
extern const char *rml_segment_profile_lever(RmlEnv *env, const RmlSegmentProfile *profile,
											 int segment);

/* for a segment of which nothing is known */
extern const char *const rml_segment_any_lever;

#endif /* RETAILML_SEGMENT_LEVERS_H */
