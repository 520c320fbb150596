# What the golden scripts of linear models share: the terms as retailml names them.
#
# A category has an indicator of each level but the most frequent one (of equals the first by text);
# "(missing)" is a level where there are missing values, and never the reference.

place <- function() {
  file <- sub("--file=", "", grep("--file=", commandArgs(FALSE), value = TRUE))
  dirname(normalizePath(file))
}

number <- function(x) formatC(x, digits = 17, format = "g")

terms_of <- function(data) {
  m <- NULL
  for (name in names(data)) {
    x <- data[[name]]
    if (is.numeric(x)) {
      m <- cbind(m, x)
      colnames(m)[ncol(m)] <- name
      next
    }
    levels <- sort(unique(x[!is.na(x)]), method = "radix")
    counts <- sapply(levels, function(l) sum(x == l, na.rm = TRUE))
    reference <- levels[which.max(counts)]
    if (anyNA(x)) levels <- c("(missing)", levels)
    x[is.na(x)] <- "(missing)"
    for (level in setdiff(levels, reference)) {
      m <- cbind(m, as.numeric(x == level))
      colnames(m)[ncol(m)] <- paste0(name, "=", level)
    }
  }
  m
}

data_file <- function(file) {
  read.csv(file.path(Sys.getenv("RETAILML_DATA"), file), na.strings = "",
           stringsAsFactors = FALSE, check.names = FALSE)
}
